"""Notices that the index was deleted or replaced under a running process: by hand, or by `runicorn reindex`.

What the process remembers of the old one would be untrue. It starts itself anew instead; that takes a second, and the
browsers connect again.
"""

from __future__ import annotations

import os
import sys
import threading

from runicorn.errors import DatabaseUnavailable
from runicorn_site.databases import Index

INTERVAL_S = 1.0


def watch_index(index: Index) -> None:
    """Replace this process by a fresh one as soon as the index is another than now, or gone.

    Call it with the index in place. Windows keeps open files from being deleted, so nothing is watched there.
    """
    if sys.platform == "win32":
        return
    known = index.identity()
    threading.Thread(target=_watch, args=(index, known), name="index-watch", daemon=True).start()


def _watch(index: Index, known: object) -> None:
    pause = threading.Event()
    while _is_the_same(index, known):
        pause.wait(INTERVAL_S)
    sys.stderr.write(f"The index ({index.place}) was replaced; starting anew.\n")
    sys.stderr.flush()
    # Sockets and database files close by themselves here; a transaction that was under way is rolled back.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _is_the_same(index: Index, known: object) -> bool:
    try:
        return index.identity() == known
    except DatabaseUnavailable:
        return True  # those who need it say so
