"""Logging must never break training: what goes wrong is warned about once per kind, and counted."""

from __future__ import annotations

import threading
from collections import Counter


class Guard:
    """What was lost by one run, and which kinds of loss have been reported.

    strict: raise instead (our tests).
    """

    def __init__(self, *, strict: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._strict = strict
        # a signal handler may log in the midst of the same thread's report
        self._lock = threading.RLock()

    def report(self, kind: str, message: str, error: BaseException | None = None) -> None:
        """Count one loss of that kind; the first is logged as a warning. kind: plural, as in "3 values"."""
        first = self._count(kind)
        if self._strict:
            raise error or RuntimeError(message)
        if first:
            warn("%s Training goes on; more of this kind is only counted.", message)

    def report_bug(self, error: Exception) -> None:
        """Count a call that failed by a mistake of ours; the first is logged with its traceback."""
        first = self._count("calls")
        if self._strict:
            raise error
        if first:
            warn("Runicorn could not store a call. Training goes on.", error=error)

    def _count(self, kind: str) -> bool:
        with self._lock:
            self.counts[kind] += 1
            return self.counts[kind] == 1

    def report_total(self, run_id: str) -> None:
        """Log what the run lost, if anything."""
        if self.counts:
            lost = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
            warn("Run %s lost: %s.", run_id, lost)


def warn(message: str, *values: object, error: BaseException | None = None) -> None:
    """Log a warning of the logger ``runicorn``, with the error's traceback. Unlike warnings.warn, this never raises."""
    import logging  # not at the top: most scripts load it anyway, and `import runicorn` stays light for the others

    logging.getLogger("runicorn").warning(message, *values, exc_info=error)
