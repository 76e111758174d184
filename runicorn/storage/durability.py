"""Making many files durable at once."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

from runicorn.storage.documents import sync_folder

#: From this many files on, one flush of the whole file system costs less than one for each.
_MANY = 32


def make_durable(files: Collection[str], folder: Path) -> None:
    """Return when the contents of ``files``, all below ``folder``, and every folder there, are on the disk.

    Raises OSError if the disk could not take them.
    """
    syncfs = _syncfs() if len(files) >= _MANY else None
    if syncfs is not None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            syncfs(descriptor)
        finally:
            os.close(descriptor)
        return
    for file in files:
        # Windows flushes only what is open for writing; elsewhere a file that may only be read will do
        descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for below, _, _ in os.walk(folder):
        sync_folder(Path(below))


@cache
def _syncfs() -> Callable[[int], None] | None:
    """Linux's syncfs(2), which Python does not offer. None elsewhere.

    Since Linux 5.8 it reports what could not be written; before, it does not, so each file is flushed by itself there.
    """
    if sys.platform != "linux" or tuple(map(int, os.uname().release.split(".")[:2])) < (5, 8):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        return None

    def syncfs(descriptor: int) -> None:
        if library.syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    return syncfs
