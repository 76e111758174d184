"""Reading the lines of a log file: forwards in chunks, backwards in pages, and what a torn or replaced file means."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from runicorn.storage import layout
from runicorn.storage.paths import open_regular

#: The most that is read at once, and the longest line that is given in one piece.
CHUNK_BYTES = 256 * 1024
#: Looking for the last lines goes back no further than this.
MAX_TAIL_BYTES = 16 * 1024 * 1024
#: An unterminated last line is held back this long; its newline mostly arrives with the next write.
TORN_LINE_S = 2.0
#: That many bytes before our position are read again: if they changed, the file was written anew.
MARK_BYTES = 64


@dataclass(frozen=True)
class Chunk:
    """Lines of the bytes [start, end) of a file: without newlines, blank ones left out, bad UTF-8 replaced."""

    start: int
    end: int
    lines: list[str]


@dataclass(frozen=True)
class LogState:
    """How far a log file was read.

    end: all bytes before it are in chunks or were there at the beginning. generation: grows when the file was
    truncated or replaced, and ``end`` then starts again at 0. torn_size, torn_since: the size of the file when it first
    ended without a newline, and the reader's monotonic clock then.
    """

    identity: tuple[int, int] = (0, 0)
    generation: int = 0
    end: int = 0
    mark: bytes = b""
    torn_size: int = -1
    torn_since: float = 0.0
    modified_ns: int = -1


def log_files(run_dir: Path) -> list[str]:
    """Names of the run's log files: ``logs.txt`` first, then those of writers on other hosts."""
    try:
        names = [name for name in os.listdir(run_dir) if layout.LOGS_PATTERN.match(name)]
    except OSError:
        return []
    return sorted(names, key=lambda name: (name != layout.LOGS, name))


def state_at_end(run_dir: Path, name: str) -> LogState:
    """The state of a reader that has seen all whole lines so far. Raises as ``open_regular``."""
    with open_regular(run_dir, name) as file:
        status = os.fstat(file.fileno())
        end = end_of_last_line(file, status.st_size)
        file.seek(max(0, end - MARK_BYTES))
        return LogState(_identity(status), 0, end, file.read(min(end, MARK_BYTES)))


def read_on(run_dir: Path, name: str, state: LogState, *, clock: float) -> tuple[LogState, Chunk | None]:
    """What was appended since ``state``, at most CHUNK_BYTES of it; None if there is no whole line yet.

    clock: monotonic seconds. Raises as ``open_regular``.
    """
    with open_regular(run_dir, name) as file:
        status = os.fstat(file.fileno())
        state = _continued(file, state, status)
        file.seek(state.end)
        data = file.read(CHUNK_BYTES)
    if not data:
        return replace(state, torn_size=-1, modified_ns=status.st_mtime_ns), None
    length = _whole_lines(data)
    if not length:
        size = state.end + len(data)
        if state.torn_size != size:
            return replace(state, torn_size=size, torn_since=clock), None
        if clock - state.torn_since < TORN_LINE_S:
            return state, None
        length = len(data)
    chunk = Chunk(state.end, state.end + length, split_lines(data[:length]))
    mark = (state.mark + data[:length])[-MARK_BYTES:]
    is_all = chunk.end == status.st_size
    return replace(
        state, end=chunk.end, mark=mark, torn_size=-1, modified_ns=status.st_mtime_ns if is_all else -1
    ), chunk


def read_between(run_dir: Path, name: str, identity: tuple[int, int], *, start: int, end: int) -> Chunk | None:
    """Lines from ``start``, at most CHUNK_BYTES and not beyond ``end``; None if the file is no longer the same one."""
    with open_regular(run_dir, name) as file:
        if _identity(os.fstat(file.fileno())) != identity:
            return None
        file.seek(start)
        data = file.read(min(CHUNK_BYTES, end - start))
    if not data:
        return None
    length = len(data) if start + len(data) == end else _whole_lines(data) or len(data)
    return Chunk(start, start + length, split_lines(data[:length]))


def last_lines(run_dir: Path, name: str, *, end: int, count: int) -> tuple[Chunk, bool]:
    """The last ``count`` lines before the byte ``end``, and whether there were more. Raises as ``open_regular``."""
    start, newlines = end, 0
    blocks: list[bytes] = []
    with open_regular(run_dir, name) as file:
        while start > 0 and newlines <= count and end - start < MAX_TAIL_BYTES:
            step = min(CHUNK_BYTES, start)
            start -= step
            file.seek(start)
            blocks.append(file.read(step))
            newlines += blocks[-1].count(b"\n")
    data = b"".join(reversed(blocks))
    if start > 0:  # begin behind a newline, not inside a line
        cut = data.find(b"\n") + 1
        start, data = start + cut, data[cut:]
    lines = data.split(b"\n")
    # blank lines count as nothing: walk back over as many others as wanted
    wanted, index = count, len(lines)
    while index and wanted:
        index -= 1
        wanted -= 1 if lines[index].strip() else 0
    skipped = sum(len(line) + 1 for line in lines[:index])
    is_cut = start > 0 or any(line.strip() for line in lines[:index])
    return Chunk(start + skipped, end, split_lines(data[skipped:])), is_cut


def split_lines(data: bytes) -> list[str]:
    """The lines in ``data`` that are not blank, without their line ends."""
    text = data.decode("utf-8", "replace")
    return [line.removesuffix("\r") for line in text.split("\n") if line and not line.isspace()]


def _whole_lines(data: bytes) -> int:
    """Length of the part that ends with a newline; of a line too long for one chunk, up to a whole character."""
    length = data.rfind(b"\n") + 1
    if length or len(data) < CHUNK_BYTES:
        return length
    length = len(data)
    while length > len(data) - 4 and data[length - 1] & 0xC0 == 0x80:
        length -= 1
    return length - 1 if data[length - 1] >= 0xC0 else length


def _continued(file: BinaryIO, state: LogState, status: os.stat_result) -> LogState:
    """``state``, or that of a new beginning if the file was truncated or written anew."""
    file.seek(max(0, state.end - len(state.mark)))
    same = state.end <= status.st_size and file.read(len(state.mark)) == state.mark
    if same and state.identity in (_identity(status), (0, 0)):
        return replace(state, identity=_identity(status))
    return LogState(_identity(status), state.generation + 1)


def end_of_last_line(file: BinaryIO, size: int) -> int:
    """Behind the last newline of the first ``size`` bytes; 0 if they hold none."""
    position = size
    while position > 0:
        step = min(CHUNK_BYTES, position)
        position -= step
        file.seek(position)
        found = file.read(step).rfind(b"\n")
        if found >= 0:
            return position + found + 1
    return 0


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
