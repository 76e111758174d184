"""Where the bytes of a version's files are: as plain files in its folder, or as chunks in the pool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runicorn.artifacts.chunks import ChunkStore
from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.places import ArtifactPlace, all_places
from runicorn.artifacts.pool import STORED_MODE, Pool
from runicorn.errors import StorageDamaged
from runicorn.storage import layout
from runicorn.storage.digests import copy_hashed
from runicorn.storage.paths import open_regular, resolve_inside

_ADVICE = "`runicorn artifacts verify` lists what is damaged."


class VersionFolder(NamedTuple):
    """One version, or one that is being made, and its folder."""

    place: ArtifactPlace
    version: int
    folder: Path

    def path_of(self, entry: FileEntry) -> Path:
        """Where the file lies when it is plain. Only a name: ``open_file`` checks where it leads."""
        return self.folder.joinpath(layout.VERSION_FILES_DIR, *entry.path.split("/"))


def all_versions(root: Path) -> Iterator[VersionFolder]:
    """Every version of a root, deleted ones included."""
    for place in all_places(root):
        for version, folder in place.version_folders().items():
            yield VersionFolder(place, version, folder)


def open_file(place: ArtifactPlace, version: int, entry: FileEntry) -> BinaryIO:
    """The stored bytes of one file, seekable, of the promised size. Whoever needs certainty hashes what is read.

    Raises StorageDamaged if they are not there, and while reading if chunks are damaged; VersionNotFound.
    """
    relative = _relative(place, version, entry.path)
    try:
        file = open_regular(place.artifacts_dir, relative)
    except FileNotFoundError as error:
        store = ChunkStore(Pool(place.artifacts_dir).folder)
        if not store.has(entry.digest):
            raise StorageDamaged(f"{place.artifacts_dir / relative} is missing; {_ADVICE}") from error
        file = store.open(entry.digest)
    size = file.seek(0, os.SEEK_END)
    if size != entry.size:
        file.close()
        raise StorageDamaged(f"{place.artifacts_dir / relative} has {size} bytes, not {entry.size}; {_ADVICE}")
    file.seek(0)
    return file


def plain_path(place: ArtifactPlace, version: int, entry: FileEntry) -> Path:
    """The stored file as a plain one. One that was compacted becomes plain again, verified, until the next compaction.

    Raises StorageDamaged, VersionNotFound, OSError if the disk is full.
    """
    path = resolve_inside(place.artifacts_dir, _relative(place, version, entry.path))
    if not path.is_file():
        _make_plain(place, version, entry, path)
    return path


def copy_verified(source: BinaryIO, path: Path, entry: FileEntry, *, mode: int | None = None, flush: bool) -> None:
    """Copy ``source`` to ``path``, which appears only when its bytes are what the entry says.

    mode: permissions; None for those of any new file. flush: the bytes are durable on return. Raises StorageDamaged,
    OSError.
    """
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb", buffering=0) as copy:
            digest, _ = copy_hashed(source, copy, flush=flush)
        if digest != entry.digest:
            name = getattr(source, "name", entry.path)
            raise StorageDamaged(f"{name} is not what was logged: its SHA-256 is {digest}; {_ADVICE}")
        if entry.modified_at > 0:
            os.utime(temporary, (entry.modified_at, entry.modified_at))
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _make_plain(place: ArtifactPlace, version: int, entry: FileEntry, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pool = Pool(place.artifacts_dir)
    if pool.link(entry.digest, entry.size, str(path)):
        return
    with open_file(place, version, entry) as source:
        copy_verified(source, path, entry, mode=STORED_MODE, flush=True)
    pool.adopt(entry.digest, entry.size, str(path))


def _relative(place: ArtifactPlace, version: int, path: str) -> str:
    folder = place.version_folder(version).relative_to(place.artifacts_dir)
    return f"{folder.as_posix()}/{layout.VERSION_FILES_DIR}/{path}"
