"""Deleting runs, bringing them back, and removing them for ever.

The files change first, the rows follow: if a process dies in between, the mirror's next tick does the rest.
Every batch goes on after a run that could not be handled and says so in its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from experiments.models import Run
from experiments.queries.recycle_bin import unresolved_directory
from experiments.queries.runs import RunIdentity, find_runs
from experiments.services.outcomes import Outcome, attempt
from runicorn.errors import InvalidInput, UnreadableDocument
from runicorn.storage import curation, layout, recycle
from runicorn.storage.paths import resolve_inside

Outcomes = dict[str, Outcome]

RUN_NOT_FOUND = "run not found"
ALREADY_DELETED = "already deleted"
NOT_DELETED = "run not deleted"
IS_PINNED = "run is pinned"
#: The reason in the marker of a run that is being removed for ever, should the removal be interrupted.
REMOVED_BY_USER = "user_permanent_delete"


def soft_delete_runs(run_ids: Sequence[str], *, reason: str, at: float) -> Outcomes:
    """Put runs into the recycle bin. at: Unix seconds.

    Raises InvalidInput for an id that is neither well-formed nor a run's; then nothing is done.
    """
    return _for_each(_checked(run_ids), _deletion(reason, at), at=at)


def soft_delete_known_runs(run_ids: Sequence[str], *, reason: str, at: float) -> Outcomes:
    """As ``soft_delete_runs``, but an id that could be no run's is one more that was not found."""
    return _for_each(run_ids, _deletion(reason, at), at=at)


def restore_runs(run_ids: Sequence[str], *, at: float) -> Outcomes:
    """Take runs out of the recycle bin. at: Unix seconds. Raises InvalidInput as ``soft_delete_runs`` does."""
    return _for_each(_checked(run_ids), _restore, at=at, deleted_first=True)


def remove_runs(run_ids: Sequence[str], *, force: bool, at: float) -> Outcomes:
    """Remove runs for ever: into the recycle bin first, so that what interrupts the removal leaves them there.

    force: pinned runs too. at: Unix seconds. Raises InvalidInput as ``soft_delete_runs`` does.
    """
    delete = _deletion(REMOVED_BY_USER, at)

    def remove(run: Run) -> Outcome:
        if not force and _may_be_pinned(run):
            return IS_PINNED
        delete(run)
        return _purge(run)

    return _for_each(_checked(run_ids), remove, at=at)


def move_to_recycle_bin(runs: Iterable[Run], *, reason: str, at: float) -> dict[RunIdentity, Outcome]:
    """As ``soft_delete_runs``, for runs at hand; ``root`` is loaded."""
    return {RunIdentity.of(run): attempt(run, _deletion(reason, at), at=at) for run in runs}


def bring_back(runs: Iterable[Run], *, at: float) -> dict[RunIdentity, Outcome]:
    """As ``restore_runs``, for runs at hand; ``root`` is loaded."""
    return {RunIdentity.of(run): attempt(run, _restore, at=at) for run in runs}


def purge_runs(runs: Iterable[Run], *, at: float) -> dict[RunIdentity, Outcome]:
    """Remove the directories of deleted runs for ever; one that is not in the recycle bin any more stays."""
    return {RunIdentity.of(run): attempt(run, _purge, at=at) for run in runs}


def _deletion(reason: str, at: float) -> Callable[[Run], Outcome]:
    def delete(run: Run) -> Outcome:
        marked = recycle.mark_deleted(_directory(run), reason=reason, original_status=run.status, at=at)
        return None if marked else ALREADY_DELETED

    return delete


def _restore(run: Run) -> Outcome:
    return None if recycle.restore(_directory(run)) else NOT_DELETED


def _purge(run: Run) -> Outcome:
    recycle.purge(unresolved_directory(run))
    return None


def _may_be_pinned(run: Run) -> bool:
    """Asked of the file, since the row may be older. What cannot be read may say that it is pinned."""
    try:
        return curation.is_pinned(_directory(run), root=Path(run.root.path))
    except UnreadableDocument:
        return True


def _for_each(
    run_ids: Sequence[str], change: Callable[[Run], Outcome], *, at: float, deleted_first: bool = False
) -> Outcomes:
    """Do one thing to each run once; an id that several directories have means the best of those it can be done to."""
    outcomes: Outcomes = {}
    for run_id in dict.fromkeys(run_ids):
        runs = find_runs(run_id, root=None, path=None, include_deleted=True)
        runs.sort(key=lambda run: (run.deleted_at is None) == deleted_first)
        outcomes[run_id] = attempt(runs[0], change, at=at) if runs else RUN_NOT_FOUND
    return outcomes


def _directory(run: Run) -> Path:
    return resolve_inside(Path(run.root.path), run.path)


def _checked(run_ids: Sequence[str]) -> Sequence[str]:
    """The ids, each of which has the form of a run id or names a run. Raises InvalidInput for the first other one."""
    for run_id in run_ids:
        well_formed = layout.RUN_ID_PATTERN.fullmatch(run_id) is not None
        if not well_formed and not find_runs(run_id, root=None, path=None, include_deleted=True):
            raise InvalidInput(f"Invalid run_id format: {run_id}")
    return run_ids
