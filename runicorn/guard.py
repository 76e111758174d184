"""Logging must never break training: what goes wrong is warned about once per kind, and counted."""

from __future__ import annotations

from collections import Counter


class Guard:
    """What was lost by one run, and which kinds of loss have been reported.

    strict: raise instead (our tests).
    """

    def __init__(self, *, strict: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._strict = strict

    def report(self, kind: str, message: str, error: BaseException | None = None) -> None:
        """Count one loss of that kind; the first is logged as a warning. kind: plural, as in "3 values"."""
        self.counts[kind] += 1
        if self._strict:
            raise error or RuntimeError(message)
        if self.counts[kind] == 1:
            warn("%s Training goes on; more of this kind is only counted.", message)

    def report_bug(self, error: Exception) -> None:
        """Count a call that failed by a mistake of ours; the first is logged with its traceback."""
        self.counts["calls"] += 1
        if self._strict:
            raise error
        if self.counts["calls"] == 1:
            warn("Runicorn could not store a call. Training goes on.", error=error)

    def report_total(self, run_id: str) -> None:
        """Log what the run lost, if anything."""
        if self.counts:
            lost = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
            warn("Run %s lost: %s.", run_id, lost)


def warn(message: str, *values: object, error: BaseException | None = None) -> None:
    """Log a warning of the logger ``runicorn``, with the error's traceback. Unlike warnings.warn, this never raises."""
    import logging  # not at the top: most scripts load it anyway, and `import runicorn` stays light for the others

    logging.getLogger("runicorn").warning(message, *values, exc_info=error)
