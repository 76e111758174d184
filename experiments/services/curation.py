"""What people record about runs: tags, descriptions, names, notes, pinned, archived.

The files change first, the rows follow: if a process dies in between, the mirror's next tick does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiments.access import run_directory
from experiments.mirror import refresh_run
from experiments.models import Run
from experiments.queries.runs import RunIdentity
from experiments.services.outcomes import Outcome, attempt
from runicorn.errors import RunNotFound
from runicorn.storage import curation
from runicorn.storage.curation import Edit


def tags_in(text: str) -> list[str]:
    """``a, b,,a`` → ["a", "b"]."""
    return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


def edit_run(run: Run, edit: Edit, *, by: str | None, at: float) -> Run:
    """Change what people recorded about a run, and its row; doing it again changes nothing.

    by: a user's name. at: Unix seconds. ``run.root`` is loaded.
    Raises InvalidInput, Conflict, RunNotFound and StorageDamaged as ``runicorn.storage.curation.change`` does.
    """
    curation.change(run_directory(run), edit, root=Path(run.root.path), by=by, at=at)
    fresh = refresh_run(run.root, run.path, now=at)
    if fresh is None:
        raise RunNotFound(f"{run.directory} is gone.")
    return fresh


def edit_runs(runs: Iterable[Run], edit: Edit, *, by: str | None, at: float) -> dict[RunIdentity, Outcome]:
    """The same change of several runs; one that could not be changed says why, and the others are."""

    def change(run: Run) -> Outcome:
        curation.change(run_directory(run), edit, root=Path(run.root.path), by=by, at=at)
        return None

    return {RunIdentity.of(run): attempt(run, change, at=at) for run in runs}
