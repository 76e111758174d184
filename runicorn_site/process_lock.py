"""What at most one process may do at a time: by a lock on a file, or in PostgreSQL (index_postgresql.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from filelock import FileLock, ReadWriteLock, Timeout


class ProcessLock(Protocol):
    """Let go when the process ends, however it ends."""

    #: For messages: where one would look for its holder.
    place: str

    def acquire(self, *, timeout_s: float) -> bool:
        """Whether it could be had in that time."""

    def is_held(self) -> bool:
        """Whether this process has it still: one that lives in a connection is lost with it."""

    def release(self) -> None: ...


class FileProcessLock:
    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._lock = FileLock(path)

    def acquire(self, *, timeout_s: float) -> bool:
        try:
            self._lock.acquire(timeout=timeout_s)
        except Timeout:
            return False
        return True

    def is_held(self) -> bool:
        return self._lock.is_locked

    def release(self) -> None:
        self._lock.release()


class SharedFileLock:
    """A lock on a file that is had by one process alone, or by all that have it ``shared``."""

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.place = str(path)
        self._lock = ReadWriteLock(path)
        self._shared = shared
        self._is_held = False

    def acquire(self, *, timeout_s: float) -> bool:
        acquire = self._lock.acquire_read if self._shared else self._lock.acquire_write
        try:
            acquire(timeout=timeout_s)
        except Timeout:
            return False
        self._is_held = True
        return True

    def is_held(self) -> bool:
        return self._is_held

    def release(self) -> None:
        self._lock.release()
        self._is_held = False
