"""Reads of the recycle bin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.models import Run
from experiments.queries.runs import in_roots, root_places
from runicorn.storage.recycle import UNKNOWN, original_status


def deleted_runs(*, root: str | None) -> list[Run]:
    """The runs in the recycle bin of all enabled roots, or of one; latest deleted first. ``root`` is loaded."""
    runs = in_roots(Run.objects.filter(deleted_at__isnull=False), root, root_places())
    return list(runs.select_related("root").order_by("-deleted_at", "run_id", "pk"))


def recycle_bin_items(*, root: str | None) -> list[dict[str, Any]]:
    """The recycle bin as API items. The state a run had when it was deleted stands in its marker only."""
    return [_item(run) for run in deleted_runs(root=root)]


def _item(run: Run) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "project": run.project,
        "name": run.name,
        "created_time": run.created_at,
        "deleted_at": run.deleted_at,
        "delete_reason": run.delete_reason or UNKNOWN,
        "original_status": original_status(Path(run.directory)),
        "run_dir": run.directory,
        "root": run.root.key,
    }
