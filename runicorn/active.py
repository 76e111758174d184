"""The process's active run: what ``runicorn.log`` and its like write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runicorn.run import Run

_current: Run | None = None


def current_run() -> Run | None:
    return _current


def activate(run: Run) -> None:
    """Make ``run`` the active one. The one before stays open until it is finished or the process ends."""
    global _current
    _current = run


def deactivate(run: Run) -> None:
    """Leave no run active, if ``run`` is."""
    global _current
    if _current is run:
        _current = None
