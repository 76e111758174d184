"""The limits in force: the user's file, looked at again while the process runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from runicorn.errors import RunicornError
from runicorn.rate_limits.document import limits_file, read_limits
from runicorn.rate_limits.model import RateLimits

logger = logging.getLogger(__name__)

#: How often the file is looked at; a change is in force that much later at most.
LOOK_INTERVAL_S = 1.0

#: Modification time, size and inode; None if there is no file.
Version = tuple[int, int, int] | None


class LimitsInForce:
    """What rate_limits.json says now. While it is broken, what it said before stays in force."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looking = Lock()
        self._limits = RateLimits()
        self._version: Version = None
        self._look_at = float("-inf")

    def now(self) -> RateLimits:
        """Costs nothing but a look at the clock, and one stat a second in one of the threads that ask."""
        if self._clock() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._limits

    def _look(self) -> None:
        version = _version_of(limits_file())
        if version != self._version:
            self._read()
            self._version = version
        self._look_at = self._clock() + LOOK_INTERVAL_S

    def _read(self) -> None:
        try:
            self._limits = read_limits()
        except RunicornError as error:
            logger.error("The rate limits stay as they were: %s Run `runicorn rate-limit --action validate`.", error)


def _version_of(file: Path) -> Version:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


#: The limits of this process.
limits_in_force = LimitsInForce()
