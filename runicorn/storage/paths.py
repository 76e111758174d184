"""The one place where a name from outside becomes a path."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from runicorn.errors import OutsideRoot, StorageDamaged


def resolve_inside(root: Path, relative: str) -> Path:
    """The real path of ``relative`` below ``root``, symbolic links followed.

    root: an existing folder. relative: with forward slashes, from a request, a manifest or an event.
    Raises OutsideRoot if it is absolute, empty, holds ``..`` or NUL, or leads out of the root through a link.
    """
    parts = relative.replace("\\", "/").split("/")
    if not relative or "\x00" in relative or relative.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise OutsideRoot(f"The path {relative!r} does not stay inside its folder.")
    base = Path(os.path.realpath(root))
    target = Path(os.path.realpath(base.joinpath(*parts)))
    if target != base and base not in target.parents:
        raise OutsideRoot(f"The path {relative!r} leads out of its folder.")
    return target


def open_regular(root: Path, relative: str) -> BinaryIO:
    """Open a regular file inside ``root`` for reading, never blocking on a FIFO or device.

    Raises FileNotFoundError, OutsideRoot, or StorageDamaged if it is no regular file or may not be read.
    """
    path = resolve_inside(root, relative)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageDamaged(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StorageDamaged(f"{path} is not a regular file.")
    return os.fdopen(descriptor, "rb")
