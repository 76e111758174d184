"""Switching to another storage root while the viewer runs."""

from __future__ import annotations

import os
import time
from pathlib import Path

from experiments.mirror.roots import make_local, this_start
from experiments.models import StorageRoot
from runicorn import config
from runicorn.errors import InvalidInput, UnusableRoot

#: How long an answer waits for the mirror process to have seen the new root; a small one takes it a moment.
WAIT_S = 3.0
_LOOK_EVERY_S = 0.05


def switch_root(path: str, *, at: float) -> Path:
    """Show another storage root from now on, in every process of this viewer, and remember it for the user.

    The folder is created if it is missing. The viewer shows it until it is started anew: then what the command line and
    RUNICORN_DIR say goes first, as always. at: Unix seconds of the change.
    Raises InvalidInput for a path that cannot be a root, Conflict and UnreadableDocument as ``config.store_user_root``.
    """
    root = _usable_root(path)
    config.store_user_root(root)
    row = make_local(root, switched_in=this_start(), at=at)
    _wait_for_the_mirror(row)
    return root


def _usable_root(path: str) -> Path:
    text = os.path.expanduser(path.strip())
    if not text or "\x00" in text:
        raise InvalidInput("Invalid path: it is empty; name a folder.")
    if not os.path.isabs(text):
        raise InvalidInput(f"Invalid path: {path} is relative; name a folder from its root on.")
    try:
        root = config.resolve_storage_root(text)
    except UnusableRoot as error:
        raise InvalidInput(f"Invalid path: {error}") from error
    if not os.access(root, os.W_OK):
        raise InvalidInput(f"Invalid path: {root} may not be written; change its permissions or choose another folder.")
    return root


def _wait_for_the_mirror(row: StorageRoot) -> None:
    """Whoever switches asks for the runs next: let them be there, if there is a mirror process that is quick enough."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if StorageRoot.objects.filter(pk=row.pk, scanned_at__isnull=False).exists():
            return
        time.sleep(_LOOK_EVERY_S)
