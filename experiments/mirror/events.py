"""Reading what was appended to a run's events files since last time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from experiments.metrics.block_format import Axes, Column, join_axes, join_columns
from experiments.mirror.parse import MAX_LINE_BYTES, AlertRecord, MediaRecord, ParsedEvents, parse_events
from runicorn.storage import json_text
from runicorn.storage.paths import open_regular

#: Parsed at once; more of it leaves the processor's cache [4.1 × orjson.loads at 16 MB, 1.6 × at 256 KB].
READ_BYTES = 256 * 1024
#: Of a line that is too long this much is passed over at once, in 50 ms; then other runs have their turn.
SKIP_BYTES = 16 * 1024 * 1024
#: Records of one block.
BLOCK_RECORDS = 65_536
#: This much before the offset must still be what was read, or the file was rewritten.
TAIL_BYTES = 64


@dataclass(frozen=True)
class EventsState:
    """How far one events file is ingested.

    offset: bytes. tail: digest of the last bytes before it. skipping: the offset lies inside a line that is too long.
    """

    offset: int = 0
    tail: str = ""
    bad_lines: int = 0
    first_bad: str = ""
    skipping: bool = False

    def as_json(self) -> list[object]:
        return [self.offset, self.tail, self.bad_lines, self.first_bad, self.skipping]

    @property
    def problem(self) -> str | None:
        if not self.bad_lines:
            return None
        return f"{self.bad_lines} line(s) could not be read and were passed over; the first: {self.first_bad}"


@dataclass
class EventBatch:
    """What one read brought: at most BLOCK_RECORDS metric records (and a little more), and where to go on.

    restart: the file was replaced or cut; what was ingested of this run must go first.
    """

    name: str
    state: EventsState
    axes: Axes | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    media: list[MediaRecord] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    more: bool = False
    restart: bool = False


def read_events(
    run_dir: Path, name: str, state: EventsState, *, records_before: int, writer_is_done: bool
) -> EventBatch:
    """The next batch of ``name`` after ``state``.

    records_before: metric records the run has already.
    writer_is_done: a last line without a newline is then taken if it is whole.
    Raises FileNotFoundError, OutsideRoot or StorageDamaged if the file cannot be opened.
    """
    with open_regular(run_dir, name) as file:
        if not _is_continued(file, state):
            return EventBatch(name, EventsState(), restart=True)
        parts: list[ParsedEvents] = []
        records = 0
        while records < BLOCK_RECORDS:
            lines, state = _next_lines(file, state, writer_is_done)
            if not lines:
                break
            parsed = parse_events(lines, records_before=records_before + records)
            if parsed.bad_lines:
                first = state.first_bad or f"before byte {state.offset}: {parsed.first_bad}"
                state = replace(state, bad_lines=state.bad_lines + parsed.bad_lines, first_bad=first)
            parts.append(parsed)
            records += len(parsed.axes)
        state = replace(state, tail=_tail(file, state.offset))
        is_within_line = state.skipping and state.offset < os.fstat(file.fileno()).st_size
        batch = EventBatch(name, state, more=records >= BLOCK_RECORDS or is_within_line)
    _join(batch, parts)
    return batch


def _is_continued(file: BinaryIO, state: EventsState) -> bool:
    """Whether the bytes before the offset are still those that were read: neither cut nor replaced."""
    return state.offset == 0 or _tail(file, state.offset) == state.tail


def _tail(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - TAIL_BYTES)
    file.seek(start)
    return hashlib.blake2b(file.read(offset - start), digest_size=8).hexdigest()


def _next_lines(file: BinaryIO, state: EventsState, writer_is_done: bool) -> tuple[bytes, EventsState]:
    """Whole lines from the offset on (b"" at the end of what is whole), and the state behind them."""
    file.seek(state.offset)
    chunk = file.read(min(READ_BYTES, max(0, os.fstat(file.fileno()).st_size - state.offset)))
    while (end := chunk.rfind(b"\n")) < 0 or state.skipping:
        if state.skipping or len(chunk) > MAX_LINE_BYTES:
            chunk, state = _skip_line(file, chunk, state)
            if state.skipping:
                return b"", state
            continue
        more = file.read(READ_BYTES)
        if not more:
            if writer_is_done and _is_whole(chunk):
                return chunk, replace(state, offset=state.offset + len(chunk))
            return b"", state
        chunk += more
    return chunk[: end + 1], replace(state, offset=state.offset + end + 1)


def _skip_line(file: BinaryIO, chunk: bytes, state: EventsState) -> tuple[bytes, EventsState]:
    """Pass over the rest of a line that is too long, or SKIP_BYTES of it.

    What was read behind its newline, and the state there.
    """
    if not state.skipping:
        first = state.first_bad or f"at byte {state.offset}: a line of more than {MAX_LINE_BYTES} bytes"
        state = replace(state, skipping=True, bad_lines=state.bad_lines + 1, first_bad=first)
    stop = state.offset + SKIP_BYTES
    while (end := chunk.find(b"\n")) < 0:
        state = replace(state, offset=state.offset + len(chunk))
        chunk = file.read(READ_BYTES) if state.offset < stop else b""
        if not chunk:
            return b"", state
    return chunk[end + 1 :], replace(state, offset=state.offset + end + 1, skipping=False)


def _is_whole(line: bytes) -> bool:
    """Whether a last line without its newline is a complete object; a torn one is waited for."""
    try:
        return isinstance(json_text.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _join(batch: EventBatch, parts: list[ParsedEvents]) -> None:
    batch.media = [item for part in parts for item in part.media]
    batch.alerts = [alert for part in parts for alert in part.alerts]
    filled = [part for part in parts if len(part.axes)]
    if not filled:
        return
    batch.axes = join_axes([part.axes for part in filled])
    names = dict.fromkeys(name for part in filled for name in part.columns)
    batch.columns = {
        name: join_columns([(part.columns.get(name), len(part.axes)) for part in filled]) for name in names
    }


def states_from_json(value: dict[str, list[object]]) -> dict[str, EventsState]:
    return {name: EventsState(*fields) for name, fields in value.items()}  # type: ignore[arg-type]


def states_to_json(states: dict[str, EventsState]) -> dict[str, list[object]]:
    return {name: state.as_json() for name, state in states.items()}
