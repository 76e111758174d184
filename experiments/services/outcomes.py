"""Doing one thing to each of several runs: what failed for one is told, and the others go on."""

from __future__ import annotations

from collections.abc import Callable

from experiments.mirror import refresh_run
from experiments.models import Run
from runicorn.errors import RunicornError

#: Result of one run of a batch: None for success, else what a caller is told.
Outcome = str | None


def attempt(run: Run, change: Callable[[Run], Outcome], *, at: float) -> Outcome:
    """Change a run's files, then its row. at: Unix seconds."""
    try:
        outcome = change(run)
    except RunicornError as error:
        return str(error)
    refresh_run(run.root, run.path, now=at)
    return outcome
