"""Appending lines to a file that other threads and processes append to as well."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
#: The descriptor is gone (a daemonising script closed all) or the network file system forgot it.
_REOPEN = frozenset({errno.EBADF, errno.ESTALE})


class AppendFile:
    """A file of whole lines. Each line reaches the kernel by one append-mode write before ``append`` returns.

    The kernel keeps such writes of one machine apart, so no lock is taken, and what was accepted survives the death of
    the process. Opened at the first line. The descriptor is closed when the object is freed, not before: a thread that
    is just writing must never find its number reused for somebody else's file.
    """

    def __init__(self, path: Path, lost: Callable[[OSError], None]) -> None:
        """lost: told of each line that could not be written."""
        self.path = path
        self._lost = lost
        self._descriptor = -1  # the first write fails with EBADF, which opens the file
        self._torn = False

    def append(self, line: bytes) -> bool:
        """Write one line, which ends with its newline. False if it was lost; never raises OSError."""
        if self._torn:  # so that the torn line spoils only itself
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
            if written == len(line):
                self._torn = False
                return True
        except OSError as error:
            return self._append_again(line, error)
        return self._append_rest(line[written:])

    def position(self) -> int:
        """Bytes of the file up to the end of the line this process wrote last. Raises OSError if it wrote none."""
        return os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def _append_again(self, line: bytes, error: OSError) -> bool:
        if error.errno not in _REOPEN:
            self._lost(error)
            return False
        try:
            self._open()
            if self._torn:
                line = b"\n" + line
            written = os.write(self._descriptor, line)
        except OSError as second:
            self._lost(second)
            return False
        if written < len(line):
            return self._append_rest(line[written:])
        self._torn = False
        return True

    def _append_rest(self, rest: bytes) -> bool:
        """After a short write (the disk is nearly full): the rest once more, else the record is given up."""
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            if os.write(self._descriptor, rest) == len(rest):
                self._torn = False
                return True
        except OSError as second:
            error = second
        self._torn = True
        self._lost(error)
        return False

    def _open(self) -> None:
        # No lock, since a fork could copy it locked: two threads that open at once leave one descriptor open.
        descriptor = os.open(self.path, _FLAGS, 0o666)
        size = os.fstat(descriptor).st_size
        if size:  # a writer that died, or met a full disk, may have left half a line
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            self._torn = os.read(descriptor, 1) != b"\n"
        self._descriptor = descriptor

    def __del__(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):  # closed by somebody before us
                os.close(self._descriptor)
