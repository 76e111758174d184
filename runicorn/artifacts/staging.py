"""Copying the files of a version into its staging folder, each hashed on the way, or linked if the pool has it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.pool import STORED_MODE, Pool
from runicorn.errors import InvalidInput
from runicorn.storage.digests import Digest, copy_hashed, digest_of, hash_file
from runicorn.storage.durability import make_durable

#: A file up to this size is read whole, and hashed before anything is written.
_WHOLE_BYTES = 4 * 1024 * 1024


class StagedFile(NamedTuple):
    """A file to store. source: where it lies, absolute. path: its path inside the artifact, checked."""

    source: str
    path: str


class _Staged(NamedTuple):
    entry: FileEntry
    is_new: bool  # its bytes were written, not linked
    is_durable: bool


def stage_files(
    files: Iterable[StagedFile], folder: Path, *, pool: Pool, earlier: Mapping[str, FileEntry]
) -> list[FileEntry]:
    """Put every file below ``folder``, which exists; entries sorted by path. All is durable and shared on return.

    earlier: what the latest version has, by path: what seems to be the same is hashed before it is copied.
    Raises InvalidInput for a source that is no regular file, FileNotFoundError if it is gone, OSError.
    """
    staged: list[_Staged] = []
    made: set[str] = set()
    for file in sorted(files, key=lambda file: file.path):
        target = f"{folder}/{file.path}"  # strings: a Path for each of 10,000 files takes a third of the time
        parent = target.rpartition("/")[0]
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        staged.append(_stage(file, target, pool, earlier.get(file.path)))
    new = [item.entry for item in staged if item.is_new]
    unflushed = [f"{folder}/{item.entry.path}" for item in staged if item.is_new and not item.is_durable]
    make_durable(unflushed, folder)
    for entry in new:  # only now: nobody may share bytes that a power cut can take
        pool.adopt(entry.digest, entry.size, f"{folder}/{entry.path}")
    return [item.entry for item in staged]


def _stage(file: StagedFile, target: str, pool: Pool, earlier: FileEntry | None) -> _Staged:
    with _open(file.source) as source:
        status = os.fstat(source.fileno())
        if status.st_size <= _WHOLE_BYTES:
            content = source.read(_WHOLE_BYTES + 1)
            if len(content) <= _WHOLE_BYTES:
                return _stage_content(content, file.path, status.st_mtime, target, pool)
            source.seek(0)  # it grew under our eyes
        if earlier is not None and pool.looks_like(earlier.digest, status.st_size, source):
            digest, size = hash_file(source)
            if pool.link(digest, size, target):
                return _Staged(FileEntry(file.path, size, digest, status.st_mtime), is_new=False, is_durable=True)
            source.seek(0)
        with _create(target) as copy:
            digest, size = copy_hashed(source, copy, flush=True)
    return _Staged(FileEntry(file.path, size, digest, status.st_mtime), is_new=True, is_durable=True)


def _stage_content(content: bytes, path: str, modified_at: float, target: str, pool: Pool) -> _Staged:
    digest: Digest = digest_of(content)
    entry = FileEntry(path, len(content), digest, modified_at)
    if pool.link(digest, entry.size, target):
        return _Staged(entry, is_new=False, is_durable=True)
    with _create(target) as copy:
        view = memoryview(content)
        while view:
            view = view[copy.write(view) :]
    return _Staged(entry, is_new=True, is_durable=False)


def _open(path: str) -> BinaryIO:
    """Never waits for the other end of a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path} is not a regular file; leave it out.")
    return os.fdopen(descriptor, "rb", buffering=0)


def _create(path: str) -> BinaryIO:
    """A new read-only file to write. An unfinished one of the same name is in the way: inner paths are unique."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, STORED_MODE)
    except FileExistsError as error:
        raise OSError(
            errno.EEXIST, "another file of the artifact has this name on a file system that ignores case", path
        ) from error
    return os.fdopen(descriptor, "wb", buffering=0)
