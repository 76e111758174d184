"""logs.txt: lines of text with the time of day, and logs.index.jsonl, which leads from times to offsets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from runicorn.storage import layout
from runicorn.storage.append import AppendFile
from runicorn.storage.events import plain_line

#: At most so often an offset is noted.
INDEX_INTERVAL_S = 1.0


class LogFile:
    """Appends lines ``HH:MM:SS | text``, in local time. Takes no lock: each text is one append-mode write.

    lost: told of each text that could not be written. clock: Unix seconds.
    """

    def __init__(self, path: Path, *, lost: Callable[[OSError], None], clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._file = AppendFile(path, lost)
        # The index belongs to logs.txt; what a second host writes is read whole.
        self._index = AppendFile(path.with_name(layout.LOGS_INDEX), lost) if path.name == layout.LOGS else None
        self._clock = clock
        self._index_due_at = 0.0
        self._second = -1
        self._time_of_day = ""

    def append(self, text: str) -> None:
        """One text, with the prefix before its first line only."""
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._time_of_day = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = second
        line = f"{self._time_of_day} | {text}\n".encode("utf-8", "replace")
        accepted = self._file.append(line)
        if accepted and self._index is not None and now >= self._index_due_at:
            self._note(self._index, now, len(line))

    def _note(self, index: AppendFile, now: float, length: int) -> None:
        """Note where the line just written begins (to within what other threads wrote in the same moment)."""
        self._index_due_at = now + INDEX_INTERVAL_S
        offset = self._file.position() - length
        if offset >= 0:
            index.append(plain_line({"ts": now, "offset": offset}))
