"""From a time to a place in ``logs.txt``, by ``logs.index.jsonl``: bisected in the file, which is never read whole."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import BinaryIO

from runicorn.storage import json_text, layout
from runicorn.storage.paths import open_regular

#: Longer than any line of ours.
_MAX_LINE_BYTES = 4096
#: So many in a row are passed over.
_MAX_DAMAGED_LINES = 1000


def offset_at(run_dir: Path, at: float) -> int | None:
    """The byte of ``logs.txt`` where the lines of ``at`` begin, to within the second of the index; 0 before the first.

    at: Unix seconds. None if the run has no index of times. Lines of the index that are damaged are passed over.
    Raises OutsideRoot or StorageDamaged if the index is no file of the run.
    """
    try:
        with open_regular(run_dir, layout.LOGS_INDEX) as file:
            return _bisect(file, os.fstat(file.fileno()).st_size, at)
    except FileNotFoundError:
        return None


def _bisect(file: BinaryIO, size: int, at: float) -> int | None:
    """Invariant: entries before ``low`` are not later than ``at``, those from ``high`` on are."""
    low, high = 0, size
    found = None
    while low < high:
        middle = (low + high) // 2
        entry = _first_entry(file, middle, high)
        if entry is None:
            high = middle
        elif entry[0] <= at:
            found, low = entry[1], entry[2]
        else:
            high = middle
    if found is None:
        return None if _first_entry(file, 0, size) is None else 0
    return found


def _first_entry(file: BinaryIO, start: int, before: int) -> tuple[float, int, int] | None:
    """The first entry whose line begins at or behind ``start``: its time, its offset, and where its line ends."""
    file.seek(max(0, start - 1))
    if start:
        file.readline(_MAX_LINE_BYTES)  # what is left of the line before
    for _ in range(_MAX_DAMAGED_LINES):
        if file.tell() >= before:
            return None
        entry = _entry_in(file.readline(_MAX_LINE_BYTES))
        if entry is not None:
            return *entry, file.tell()
    return None


def _entry_in(line: bytes) -> tuple[float, int] | None:
    try:
        entry = json_text.loads(line)
        ts, offset = entry["ts"], entry["offset"]
    except (ValueError, TypeError, KeyError):
        return None
    if isinstance(ts, (int, float)) and isinstance(offset, int) and offset >= 0 and math.isfinite(ts):
        return float(ts), offset
    return None
