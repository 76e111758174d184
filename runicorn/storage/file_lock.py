"""A lock between processes that a training script can afford: bounded, and without loading a library for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_RETRY_S = 0.01
_OPEN_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def file_lock(path: Path, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> Iterator[bool | None]:
    """Hold the lock file ``path``; yields whether it was got in time. It keeps out users of ``filelock`` as well.

    None where the file system has no locks: the caller decides what that means. The file stays behind.
    Raises OSError if it cannot be opened, and for a link, which may lead anywhere.
    """
    descriptor = os.open(path, _OPEN_FLAGS, 0o666)
    try:
        deadline = clock() + timeout_s
        held = _try_lock(descriptor)
        while held is False and clock() < deadline:
            time.sleep(_RETRY_S)
            held = _try_lock(descriptor)
        yield held
    finally:
        os.close(descriptor)  # which lets go of the lock


def _try_lock(descriptor: int) -> bool | None:
    """Whether the lock was free; None if there are no locks here."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network file system without a lock service
        return None
    return True
