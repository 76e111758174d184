"""How the mirror tells by a few stats whether anything of an artifact has changed.

A mark is ``mtime in ns<TAB>size<TAB>inode`` of a file, ``mtime in ns`` of a folder, or empty if it is not there.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runicorn.artifacts.places import ArtifactPlace
from runicorn.storage import layout


def mark_of(path: Path) -> str:
    try:
        status = os.lstat(path)
    except OSError:
        return ""
    if stat.S_ISDIR(status.st_mode):
        return str(status.st_mtime_ns)
    return f"{status.st_mtime_ns}\t{status.st_size}\t{status.st_ino}"


def home_marks(place: ArtifactPlace) -> str:
    """Of both folders of the artifact: our writers touch the first; a version comes or goes in one of them."""
    return f"{mark_of(place.home)}\n{mark_of(place.older_home)}"


def artifact_marks(place: ArtifactPlace) -> str:
    """Of the folders and of what names aliases."""
    return "\n".join([home_marks(place), *(mark_of(home / layout.VERSIONS) for home in (place.home, place.older_home))])


def version_marks(folder: Path) -> str:
    """Of what may be changed of a version: where it lies, its metadata, and whether it is deleted."""
    place = folder.parent.parent.name
    return f"{place}\n{mark_of(folder / layout.VERSION_METADATA)}\n{mark_of(folder / layout.DELETED)}"


def manifest_mark(folder: Path) -> str:
    return mark_of(folder / layout.VERSION_MANIFEST)


def is_settled(marks: str, *, now: float, after_s: float) -> bool:
    """Whether the folders in ``artifact_marks`` last changed longer ago than ``after_s``. now: Unix seconds.

    One that changed just now may change again within the same mtime.
    """
    mtimes = [int(mark) for mark in marks.split("\n")[:2] if mark]
    return all(now - mtime / 1e9 > after_s for mtime in mtimes)
