"""What a check says, and how checks are run so that none ends the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

logger = logging.getLogger(__name__)


class Level(str, Enum):
    """error: something does not work. warning: it works, but not as one would want."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing, and what to do about it; an ok needs no way out."""

    subject: str
    level: Level
    message: str
    way_out: str = ""


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, Level.OK, message)


def warning(subject: str, message: str, way_out: str) -> Finding:
    return Finding(subject, Level.WARNING, message, way_out)


def error(subject: str, message: str, way_out: str) -> Finding:
    return Finding(subject, Level.ERROR, message, way_out)


def examined(subject: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check finds. One that fails itself is a finding: a broken installation can break it anywhere."""
    try:
        return list(check())
    except Exception as problem:
        logger.debug("The check of the %s failed.", subject, exc_info=True)
        reason = f"{type(problem).__name__}: {problem}".rstrip(": ").replace("\n", " ")
        return [error(subject, f"Could not be examined: {reason}", "Mend what the others name first; then look again.")]
