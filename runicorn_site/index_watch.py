"""Notices that the index file was deleted or replaced under a running process: by hand, or by `runicorn reindex`.

SQLite would go on reading and writing the deleted file for ever, without an error. The process starts itself anew
instead; that takes a second, and the browsers connect again.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

INTERVAL_S = 1.0


def watch_index(path: Path) -> None:
    """Replace this process by a fresh one as soon as ``path`` is another file than now, or none.

    Call it with the index in place. Windows keeps open files from being deleted, so nothing is watched there.
    """
    if sys.platform == "win32":
        return
    known = _identity(path)
    threading.Thread(target=_watch, args=(path, known), name="index-watch", daemon=True).start()


def _watch(path: Path, known: tuple[int, int] | None) -> None:
    pause = threading.Event()
    while _identity(path) == known:
        pause.wait(INTERVAL_S)
    sys.stderr.write(f"The index {path} was replaced; starting anew.\n")
    sys.stderr.flush()
    # Sockets and database files close by themselves here; a transaction that was under way is rolled back.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode; an inode is not used again while we hold the deleted file open."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
