"""Who may see what: every view and consumer gets its run and its files here.

Bound to loopback there is no login and everybody sees everything; ``user`` is who asks, None for nobody.
"""

from __future__ import annotations

from pathlib import Path

from experiments.models import Run, StorageRoot
from experiments.queries.runs import find_runs
from runicorn.errors import NotFound, RunNotFound
from runicorn.storage.paths import resolve_inside


def get_run_for(
    user: object | None,
    run_id: str,
    *,
    root: str | None = None,
    path: str | None = None,
    include_deleted: bool = False,
) -> Run:
    """The run that an id means, with its ``root`` loaded.

    The local root is looked in first, then the others; among several the newest sign of life wins.
    root: key of a storage root, to look there only. path: relative to the root, where two folders share the id.
    Raises RunNotFound, also for a run in the recycle bin unless ``include_deleted``.
    """
    runs = find_runs(run_id, root=root, path=path, include_deleted=include_deleted)
    if not runs:
        raise RunNotFound("Run not found")  # the reference's words
    return runs[0]


def get_root_for(user: object | None, key: str) -> StorageRoot:
    """The enabled storage root called ``key``. Raises NotFound."""
    root = StorageRoot.objects.filter(key=key, enabled=True).first()
    if root is None:
        raise NotFound(f"There is no storage root {key!r}.")
    return root


def run_directory(run: Run) -> Path:
    """Where the run's files lie, links resolved. Raises OutsideRoot if the folder leads out of its storage root."""
    return resolve_inside(Path(run.root.path), run.path)
