"""Which line of a log file begins at which byte.

A log of a gigabyte has ten million lines; how many newlines lie before each block of it is counted once, a piece a
question, and kept while this process lives. Logs are only appended to, so the count goes on where it was.
"""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import BinaryIO

BLOCK_BYTES = 256 * 1024
#: What one question may count: a tenth of a second from memory, so that nobody waits for a gigabyte from a slow disk.
COUNT_BYTES = 64 * 1024 * 1024
#: If these bytes before the counted end changed, the file was written anew.
_MARK_BYTES = 64
_KEPT_FILES = 64


@dataclass
class LineIndex:
    """newlines: how many there are up to the end of each block. All methods take the file, open for reading."""

    newlines: array[int] = field(default_factory=lambda: array("Q"))
    _mark: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def counted(self) -> int:
        """Bytes that are counted."""
        return len(self.newlines) * BLOCK_BYTES

    def count_on(self, file: BinaryIO, size: int, *, at_most: int = COUNT_BYTES) -> bool:
        """Count the whole blocks up to ``size``, at most that many bytes of them now; whether all are."""
        with self._lock:
            if not self._is_same(file, size):
                self.newlines, self._mark = array("Q"), b""
            last = min(size // BLOCK_BYTES, len(self.newlines) + at_most // BLOCK_BYTES)
            total = self.newlines[-1] if self.newlines else 0
            file.seek(self.counted)
            while len(self.newlines) < last:
                block = file.read(BLOCK_BYTES)
                total += block.count(b"\n")
                self.newlines.append(total)
                self._mark = block[-_MARK_BYTES:]
            return len(self.newlines) == size // BLOCK_BYTES

    def number_at(self, file: BinaryIO, offset: int) -> int | None:
        """The number, from 1, of the line that holds the byte ``offset``; None as long as that is not counted."""
        newlines = self.newlines  # another thread may put a new one in its place
        block, inside = divmod(offset, BLOCK_BYTES)
        if block > len(newlines):
            return None
        file.seek(block * BLOCK_BYTES)
        return _before(newlines, block) + file.read(inside).count(b"\n") + 1

    def offset_of(self, file: BinaryIO, number: int) -> int | None:
        """Where the line ``number`` begins, or the last one of fewer; None as long as that is not counted."""
        newlines = self.newlines
        wanted = max(0, number - 1)  # newlines before it
        block = bisect_left(newlines, wanted)
        size = os.fstat(file.fileno()).st_size
        if block == len(newlines) and size >= (block + 1) * BLOCK_BYTES:
            return None
        file.seek(block * BLOCK_BYTES)
        data = file.read(BLOCK_BYTES)
        place = 0
        for _ in range(wanted - _before(newlines, block)):
            after = data.find(b"\n", place) + 1
            if not after or block * BLOCK_BYTES + after == size:
                break
            place = after
        return block * BLOCK_BYTES + place

    def _is_same(self, file: BinaryIO, size: int) -> bool:
        if size < self.counted:
            return False
        file.seek(max(0, self.counted - len(self._mark)))
        return file.read(len(self._mark)) == self._mark


def _before(newlines: array[int], block: int) -> int:
    return newlines[block - 1] if block else 0


_indexes: OrderedDict[tuple[int, int], LineIndex] = OrderedDict()
_indexes_lock = threading.Lock()


def line_index(file: BinaryIO) -> LineIndex:
    """The one index of that file in this process; of many files the ones used last are kept."""
    status = os.fstat(file.fileno())
    with _indexes_lock:
        index = _indexes.setdefault((status.st_dev, status.st_ino), LineIndex())
        _indexes.move_to_end((status.st_dev, status.st_ino))
        if len(_indexes) > _KEPT_FILES:
            _indexes.popitem(last=False)
        return index
