"""The content pool: each content once, under its SHA-256, shared with the versions that hold it by hard links.

A link is never needed to read a version: whatever happens to the pool's name, a version keeps its own. Rules of
writers and of gc: docs/design/0019-artifacts.md.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from runicorn.storage import layout
from runicorn.storage.digests import Digest

#: Permissions of stored files: versions share their bytes, so nobody writes into one.
STORED_MODE = 0o444
#: Places at which a file is compared with what it may be a copy of, and how many bytes at each.
_SAMPLES = 64
_SAMPLE_BYTES = 4096
_CONTENT = re.compile(r"[0-9a-f]{64}")


class Pool:
    """The pool of one storage root. artifacts_dir: ``<root>/artifacts``."""

    def __init__(self, artifacts_dir: Path) -> None:
        self.folder = artifacts_dir / layout.DEDUP_DIR
        self._prefix = f"{self.folder}{os.sep}"  # versions of 10,000 files ask for as many paths

    def path_of(self, digest: Digest) -> Path:
        return Path(self._path_of(digest))

    def contents(self) -> Iterator[Digest]:
        """Every content that is there as a plain file."""
        for folder in _entries(self.folder):
            if len(folder.name) == 2 and folder.is_dir(follow_symlinks=False):
                for entry in _entries(Path(folder.path)):
                    if _CONTENT.fullmatch(entry.name):
                        yield Digest(entry.name)

    def link(self, digest: Digest, size: int, target: str) -> bool:
        """Make ``target`` a name of the content; False if the pool has none of that size, or cannot share it.

        The content's mtime is set to now first: gc leaves alone what is young.
        """
        path = self._path_of(digest)
        try:
            if not _is_regular(path, size):
                return False
            with suppress(PermissionError):  # another person's file; the link below keeps its bytes as well
                os.utime(path)
            os.link(path, target, follow_symlinks=False)
        except OSError:  # no such content, too many links, or a file system that has none
            return False
        return True

    def adopt(self, digest: Digest, size: int, file: str) -> None:
        """Share ``file``, a complete, durable version's file of that content.

        If the pool has the content, ``file`` becomes another name of that, and its own bytes are freed. Where there
        are no links, the version keeps its bytes for itself.
        """
        path = self._path_of(digest)
        try:
            try:
                os.link(file, path, follow_symlinks=False)
            except FileNotFoundError:  # the first content with these two digits
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.link(file, path, follow_symlinks=False)
        except FileExistsError:
            if not (_is_regular(path, size) and self._replace(file, by=path)):
                # the content under that name is cut short, or has all the links it may have: ours takes its place
                self._replace(path, by=file)
        except OSError:
            return

    def looks_like(self, digest: Digest, size: int, file: BinaryIO) -> bool:
        """Whether ``file`` has the content's size and agrees with it wherever it is looked at.

        For files worth hashing before they are copied. ``file`` stands at its beginning afterwards.
        """
        path = self._path_of(digest)
        try:
            if not _is_regular(path, size):
                return False
            with open(path, "rb", buffering=0) as stored:
                step = max((size - _SAMPLE_BYTES) // (_SAMPLES - 1), 1)
                return all(
                    _sample(stored, place) == _sample(file, place)
                    for place in range(0, max(size - _SAMPLE_BYTES, 0) + 1, step)
                )
        except OSError:
            return False
        finally:
            file.seek(0)

    def _path_of(self, digest: Digest) -> str:
        return f"{self._prefix}{digest[:2]}{os.sep}{digest}"

    @staticmethod
    def _replace(name: str, *, by: str) -> bool:
        """Make ``name`` another name of the file ``by``; False if that cannot be."""
        temporary = os.path.join(os.path.dirname(name), f".{os.urandom(8).hex()}.tmp")
        try:
            os.link(by, temporary, follow_symlinks=False)
            os.replace(temporary, name)
        except OSError:
            return False
        finally:
            with suppress(OSError):  # a rename onto another name of the same file does nothing
                os.unlink(temporary)
        return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # absent, or not a folder
        return []


def _is_regular(path: str, size: int) -> bool:
    status = os.lstat(path)
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def _sample(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(_SAMPLE_BYTES)
