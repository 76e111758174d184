"""How much of the disk folders take."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

#: What st_blocks counts, whatever the file system's own blocks are (POSIX).
_BLOCK_BYTES = 512


def disk_bytes(folders: Iterable[Path]) -> int:
    """Bytes that the folders and all below them take on disk, as ``du`` counts: a link is not followed, and a file
    that several names share counts once. What cannot be read counts nothing.
    """
    seen: set[tuple[int, int]] = set()
    return sum(_bytes_below(os.fspath(folder), seen) for folder in folders)


def _bytes_below(folder: str, seen: set[tuple[int, int]]) -> int:
    total, pending = 0, [folder]
    while pending:
        path = pending.pop()
        try:
            status = os.lstat(path)
            total += _own_bytes(status, seen)
            if stat.S_ISDIR(status.st_mode):
                pending += [os.path.join(path, name) for name in os.listdir(path)]
        except OSError:
            continue
    return total


def _own_bytes(status: os.stat_result, seen: set[tuple[int, int]]) -> int:
    key = status.st_dev, status.st_ino
    if key in seen:
        return 0
    seen.add(key)
    return stored_bytes(status)


def stored_bytes(status: os.stat_result) -> int:
    """Bytes that one file takes on disk."""
    blocks: int | None = getattr(status, "st_blocks", None)  # Windows has none
    return status.st_size if blocks is None else blocks * _BLOCK_BYTES
