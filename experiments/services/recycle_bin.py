"""Deleting runs, bringing them back, and removing them for ever.

The files change first, the rows follow: if a process dies in between, the mirror's next tick does the rest.
Every batch goes on after a run that could not be handled and says so in its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from experiments.mirror import refresh_run
from experiments.models import Run
from experiments.queries.runs import find_runs
from runicorn.errors import InvalidInput, RunicornError
from runicorn.storage import layout, recycle
from runicorn.storage.paths import resolve_inside

#: Result of one run of a batch: None for success, else what a caller is told.
Outcome = str | None
Outcomes = dict[str, Outcome]

RUN_NOT_FOUND = "run not found"
ALREADY_DELETED = "already deleted"
NOT_DELETED = "run not deleted"


def soft_delete_runs(run_ids: Sequence[str], *, reason: str, at: float) -> Outcomes:
    """Put runs into the recycle bin. at: Unix seconds.

    Raises InvalidInput for an id that is neither well-formed nor a run's; then nothing is done.
    """

    def delete(run: Run) -> Outcome:
        marked = recycle.mark_deleted(_directory(run), reason=reason, original_status=run.status, at=at)
        return None if marked else ALREADY_DELETED

    return _for_each(_checked(run_ids), delete, at=at)


def restore_runs(run_ids: Sequence[str], *, at: float) -> Outcomes:
    """Take runs out of the recycle bin. at: Unix seconds. Raises InvalidInput as ``soft_delete_runs`` does."""

    def restore(run: Run) -> Outcome:
        return None if recycle.restore(_directory(run)) else NOT_DELETED

    return _for_each(_checked(run_ids), restore, at=at, deleted_first=True)


def purge_runs(runs: Iterable[Run], *, at: float) -> Outcomes:
    """Remove the directories of deleted runs for ever; the outcomes are keyed by the path below the root."""
    outcomes: Outcomes = {}
    for run in runs:
        outcomes[run.path] = _attempt(run, _purge, at=at)
    return outcomes


def _purge(run: Run) -> Outcome:
    # the last component is not resolved: a link in a runs/ folder must not lead to what it points at
    parent, _, folder = run.path.rpartition("/")
    recycle.purge(resolve_inside(Path(run.root.path), parent) / folder)
    return None


def _for_each(
    run_ids: Sequence[str], change: Callable[[Run], Outcome], *, at: float, deleted_first: bool = False
) -> Outcomes:
    """Do one thing to each run once; an id that several directories have means the best of those it can be done to."""
    outcomes: Outcomes = {}
    for run_id in dict.fromkeys(run_ids):
        runs = find_runs(run_id, root=None, path=None, include_deleted=True)
        runs.sort(key=lambda run: (run.deleted_at is None) == deleted_first)
        outcomes[run_id] = _attempt(runs[0], change, at=at) if runs else RUN_NOT_FOUND
    return outcomes


def _attempt(run: Run, change: Callable[[Run], Outcome], *, at: float) -> Outcome:
    try:
        outcome = change(run)
    except RunicornError as error:
        return str(error)
    refresh_run(run.root, run.path, now=at)
    return outcome


def _directory(run: Run) -> Path:
    return resolve_inside(Path(run.root.path), run.path)


def _checked(run_ids: Sequence[str]) -> Sequence[str]:
    """The ids, each of which has the form of a run id or names a run. Raises InvalidInput for the first other one."""
    for run_id in run_ids:
        well_formed = layout.RUN_ID_PATTERN.fullmatch(run_id) is not None
        if not well_formed and not find_runs(run_id, root=None, path=None, include_deleted=True):
            raise InvalidInput(f"Invalid run_id format: {run_id}")
    return run_ids
