"""Reads of the recycle bin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.paginator import Page, Paginator

from experiments.models import Run
from experiments.queries.runs import RunIdentity, in_roots, root_places
from experiments.queries.shown_runs import state_of
from runicorn.storage.disk_usage import disk_bytes
from runicorn.storage.paths import resolve_inside
from runicorn.storage.recycle import UNKNOWN, original_status

ROWS_PER_PAGE = 50


def deleted_runs(*, root: str | None) -> list[Run]:
    """The runs in the recycle bin of all enabled roots, or of one; latest deleted first. ``root`` is loaded."""
    runs = in_roots(Run.objects.filter(deleted_at__isnull=False), root, root_places())
    return list(runs.select_related("root").order_by("-deleted_at", "run_id", "pk"))


def recycle_bin_items(*, root: str | None) -> list[dict[str, Any]]:
    """The recycle bin as API items. The state a run had when it was deleted stands in its marker only."""
    return [_item(run) for run in deleted_runs(root=root)]


@dataclass(frozen=True)
class DeletedRun:
    """One line of the page. identity: as text. size_bytes: what removing this one would free."""

    run: Run
    identity: str
    state: str
    size_bytes: int


@dataclass(frozen=True)
class RecycleBinPage:
    page: Page[Run]
    rows: list[DeletedRun]


def recycle_bin_page(*, page_number: str | int | None) -> RecycleBinPage:
    """Some of the runs in the recycle bin, latest deleted first; a number beyond the end gives the last page."""
    runs = in_roots(Run.objects.filter(deleted_at__isnull=False), None, root_places())
    page = Paginator(runs.select_related("root").order_by("-deleted_at", "run_id", "pk"), ROWS_PER_PAGE).get_page(
        page_number
    )
    rows = [DeletedRun(run, str(RunIdentity.of(run)), state_of(run), bytes_of([run])) for run in page.object_list]
    return RecycleBinPage(page, rows)


def bytes_of(runs: Iterable[Run]) -> int:
    """What the directories of runs take on disk, each file once, links not followed. ``root`` is loaded."""
    return disk_bytes(unresolved_directory(run) for run in runs)


def unresolved_directory(run: Run) -> Path:
    """The directory, its last component not resolved: a link in a runs/ folder must not lead to what it points at.

    Raises OutsideRoot if the folder above leads out of the storage root.
    """
    parent, _, folder = run.path.rpartition("/")
    return resolve_inside(Path(run.root.path), parent) / folder


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
