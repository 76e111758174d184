"""A part of a log file of any size: at its end, before or behind a byte, around a line, a time or a share of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from experiments.logs.lines import line_index
from runicorn.errors import NotFound
from runicorn.storage import layout, log_text
from runicorn.storage.log_times import offset_at
from runicorn.storage.paths import open_regular

#: A page of long lines ends there; what is cut off comes with the next page.
MAX_PAGE_BYTES = 2 * 1024 * 1024
_READ_BYTES = 64 * 1024
#: Of a page around a place, that part lies before it.
_SHARE_BEFORE = 0.25


@dataclass(frozen=True)
class LogPage:
    """The lines of the bytes [start, end) of a log file.

    size: where its last whole line ends now. number: that of the first line, from 1; None as long as it is not known.
    target: which of the lines was asked for.
    """

    lines: list[str]
    start: int
    end: int
    size: int
    number: int | None = None
    target: int | None = None


class LogFile:
    """A log file of a run, open for reading. file: the same. size: where its last whole line ends.

    counts: whether some more of its lines are counted now, so that in the end each has its number.
    """

    def __init__(self, file: BinaryIO, run_dir: Path, *, counts: bool) -> None:
        self.file = file
        self._run_dir = run_dir
        self.size = log_text.end_of_last_line(file, os.fstat(file.fileno()).st_size)
        self._index = line_index(file)
        if counts:
            self._index.count_on(file, self.size)

    def last(self, count: int) -> LogPage:
        return self._page(*self._before(self.size, count))

    def before(self, offset: int, count: int) -> LogPage:
        """The ``count`` lines that end at ``offset``."""
        return self._page(*self._before(min(offset, self.size), count))

    def after(self, offset: int, count: int, *, until: int | None = None) -> LogPage:
        """The ``count`` lines from ``offset`` on. until: where a reader knows the file to end, perhaps in a line."""
        end = self.size if until is None else min(until, os.fstat(self.file.fileno()).st_size)
        return self._page(*self._behind(min(offset, end), count, end))

    def around(self, offset: int, count: int) -> LogPage:
        """Lines before and behind the one that holds ``offset``."""
        start, _ = self._before(self._line_start(min(offset, self.size)), int(count * _SHARE_BEFORE))
        page = self._page(*self._behind(start, count, self.size))
        behind = self._read(page.start, max(page.start, min(offset, page.end)))
        return LogPage(page.lines, page.start, page.end, page.size, page.number, behind.count(b"\n"))

    def line(self, number: int, count: int) -> LogPage | None:
        """Lines around that of this number, or the last one; None as long as more has to be counted: ask again."""
        offset = self._index.offset_of(self.file, number)
        return None if offset is None else self.around(offset, count)

    def numbered(self, offset: int, count: int) -> LogPage | None:
        """The lines from ``offset`` on with their numbers; None as long as more has to be counted: ask again."""
        page = self.after(offset, count)
        return None if page.number is None else page

    def time(self, at: float, count: int) -> LogPage:
        """Lines around those of a time in Unix seconds. Raises NotFound if the run has no index of times."""
        offset = offset_at(self._run_dir, at)
        if offset is None:
            raise NotFound("This log says no dates: the run has no logs.index.jsonl. Go to a line, or search.")
        return self.around(offset, count)

    def number_of(self, offset: int) -> int | None:
        """Of the line that holds the byte ``offset``; None as long as it is not counted."""
        return self._index.number_at(self.file, offset)

    @property
    def counted(self) -> int:
        """Bytes in which the lines are counted."""
        return self._index.counted

    def _page(self, start: int, end: int) -> LogPage:
        data = self._read(start, end)
        lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n") if data else []
        return LogPage([_as_on_screen(line) for line in lines], start, end, self.size, self.number_of(start))

    def _read(self, start: int, end: int) -> bytes:
        self.file.seek(start)
        return self.file.read(end - start)

    def _line_start(self, offset: int) -> int:
        start, _ = self._before(offset, 0)
        return start

    def _before(self, end: int, count: int) -> tuple[int, int]:
        """From where the ``count`` whole lines before ``end`` begin; with 0 the beginning of the line at ``end``."""
        start, newlines, first = end, 0, max(0, end - MAX_PAGE_BYTES)
        # the line feed at ``end`` itself closes the last of the lines, and is not one between two of them
        wanted, earliest = count + 1, end
        while start > first:
            block_start = max(first, start - _READ_BYTES)
            block = self._read(block_start, start)
            place = len(block)
            while (place := block.rfind(b"\n", 0, place)) >= 0:
                newlines += 1
                earliest = block_start + place + 1
                if newlines == wanted:
                    return earliest, end
            start = block_start
        # a page that ends for its bytes begins with a line, unless that alone is longer
        return (start if start == 0 or earliest == end else earliest), end

    def _behind(self, start: int, count: int, end: int) -> tuple[int, int]:
        place, lines, last = start, 0, min(end, start + MAX_PAGE_BYTES)
        while place < last:
            block = self._read(place, min(last, place + _READ_BYTES))
            within = 0
            while (within := block.find(b"\n", within) + 1) > 0:
                lines += 1
                if lines == count:
                    return start, place + within
            place += len(block)
        if last < end:
            cut = self._read(start, last).rfind(b"\n") + 1
            return start, start + cut if cut else last
        return start, last


def _as_on_screen(line: str) -> str:
    """What a terminal shows of a line that was overwritten from its beginning: the last state of a progress bar."""
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


@dataclass(frozen=True)
class LogAtEnd:
    """What the log tab begins with. files: all of the run's log files; name: the one shown.

    has_times: whether there is an index that leads to a time.
    """

    files: list[str]
    name: str
    page: LogPage
    has_times: bool


def log_at_end(run_dir: Path, name: str, *, lines: int) -> LogAtEnd:
    """The last lines of a log file, not counted: a long log opens at once. Raises as ``open_log``.

    A run without ``logs.txt`` shows the log of another host's writer; one without any log has none yet.
    """
    files = log_text.log_files(run_dir)
    if name == layout.LOGS and name not in files:
        if not files:
            return LogAtEnd([], name, LogPage([], 0, 0, 0), has_times=False)
        name = files[0]
    with open_log(run_dir, name, counts=False) as log:
        has_times = name == layout.LOGS and os.path.exists(run_dir / layout.LOGS_INDEX)
        return LogAtEnd(files, name, log.last(lines), has_times)


@contextmanager
def open_log(run_dir: Path, name: str = layout.LOGS, *, counts: bool = True) -> Iterator[LogFile]:
    """A log file of the run. Raises NotFound if there is none of that name, OutsideRoot, StorageDamaged."""
    if not layout.LOGS_PATTERN.match(name):
        raise NotFound(f"{name!r} is not the name of a log file.")
    try:
        file = open_regular(run_dir, name)
    except FileNotFoundError as error:
        raise NotFound(f"The run has no log file {name}.") from error
    with file:
        yield LogFile(file, run_dir, counts=counts)
