"""Deleting versions: into the recycle bin and back, or for good, with the bytes that this frees."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from runicorn.artifacts.chunks import ChunkStore, Collected
from runicorn.artifacts.documents import locked, read_index, read_manifest, write_index
from runicorn.artifacts.places import ArtifactPlace, all_places
from runicorn.artifacts.pool import Pool
from runicorn.errors import Conflict, NotFound, RunicornError, StorageDamaged, UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.digests import Digest
from runicorn.storage.documents import sync_folder, write_document

#: Before the name of a version that is being removed for good.
TRASH_PREFIX = ".trash-"
#: Content that somebody may be about to share is left alone for so long.
MIN_AGE_S = 24 * 3600.0


@dataclass(frozen=True)
class Freed:
    """What removing a version frees. freed_bytes: at once. waiting_bytes: by a gc after a day, for being so young.

    shared_bytes: what other versions hold as well.
    """

    freed_bytes: int
    waiting_bytes: int
    shared_bytes: int


def delete_version(place: ArtifactPlace, version: int, *, by: str, at: float) -> bool:
    """Put a version into the recycle bin; False if it was there. by: ``user`` or ``remote_user``. at: Unix seconds.

    ``latest`` moves to the highest version that is left. Raises ArtifactNotFound, VersionNotFound, Conflict,
    StorageDamaged.
    """
    folder = place.version_folder(version)
    marker = {"deleted_at": at, "deleted_by": by, "version": version, "artifact_name": place.name}
    with locked(place):
        if os.path.lexists(folder / layout.DELETED):
            return False
        write_document(folder / layout.DELETED, marker)
        write_index(place, read_index(place), at=at)
    return True


def restore_version(place: ArtifactPlace, version: int, *, at: float) -> bool:
    """Take a version out of the recycle bin; False if it was not there. Raises as delete_version."""
    folder = place.version_folder(version)
    with locked(place):
        try:
            (folder / layout.DELETED).unlink()
        except FileNotFoundError:
            return False
        write_index(place, read_index(place), at=at)
    return True


def freed_by_purging(place: ArtifactPlace, version: int, *, at: float) -> Freed:
    """What purge_version would free now. at: Unix seconds, by the clock that dates the files.

    Raises ArtifactNotFound, VersionNotFound.
    """
    return _freed_with(place, {place.version_folder(version)}, at=at)


def freed_by_purging_all(versions: Iterable[tuple[ArtifactPlace, int]], *, at: float) -> Freed:
    """What purging all of these, of one storage root, would free now, also what only they share; one look at the root.

    A version that is gone by now frees nothing.
    """
    folders: dict[Path, ArtifactPlace] = {}
    for place, version in versions:
        with suppress(NotFound):
            folders[place.version_folder(version)] = place
    # any of the places says where the root is
    return _freed_with(next(iter(folders.values())), folders, at=at) if folders else Freed(0, 0, 0)


def _freed_with(place: ArtifactPlace, folders: Collection[Path], *, at: float) -> Freed:
    """What removing these folders would free. place: any of their storage root."""
    fates = _fates(place, folders, at=at)
    return _account(fates, _collect_chunks(place, fates, at=at, but=folders, dry_run=True))


def purge_version(place: ArtifactPlace, version: int, *, at: float, only_deleted: bool = False) -> Freed:
    """Remove a version for good, with the content that no other version has; returns what that freed.

    only_deleted: one that is not in the recycle bin stays, and Conflict says so.

    Its number is never given again; aliases that named it are gone, and ``latest`` names the highest that is left.
    The folder gets a hidden name first: whatever interrupts the removal, the version is there or not at all, and gc
    removes what is left. Raises as delete_version.
    """
    folder = place.version_folder(version)
    trash = place.home / f"{TRASH_PREFIX}{os.urandom(8).hex()}"
    with locked(place):
        if only_deleted and not os.path.lexists(folder / layout.DELETED):
            raise Conflict(f"{place.name}:v{version} is not in the recycle bin; nothing was removed.")
        index = read_index(place)
        os.rename(folder, trash)
        sync_folder(folder.parent)
        left = read_index(place)
        write_index(place, replace(left, next_version=max(index.next_version, left.next_version)), at=at)
    fates = _fates(place, {trash}, at=at)
    try:
        remove_tree(trash)
        for fate in fates:
            if fate.end is End.FREED:
                fate.pool_file.unlink(missing_ok=True)
    except OSError as error:
        raise StorageDamaged(
            f"{error.filename or trash} cannot be removed: {error.strerror}; gc will try again."
        ) from error
    return _account(fates, _collect_chunks(place, fates, at=at, but={trash}, dry_run=False))


def remove_tree(folder: Path) -> None:
    """Remove a folder of a version, never following a link; somebody else may be at it, too. Raises OSError."""
    if os.name == "nt":  # which removes no read-only file
        for below, _, names in os.walk(folder):
            for name in names:
                os.chmod(os.path.join(below, name), 0o600)
    while os.path.lexists(folder):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def digests_named(root: Path, wanted: Collection[Digest], *, but: Collection[Path] = ()) -> set[Digest]:
    """Those of ``wanted`` that a manifest names, of a version or of one that is being made.

    but: versions' folders that do not count.
    """
    found: set[Digest] = set()
    missing = {digest.encode() for digest in wanted}
    for folder in _version_like_folders(root) if missing else ():
        if folder in but:
            continue
        with suppress(OSError):
            content = (folder / layout.VERSION_MANIFEST).read_bytes()
            here = {digest for digest in missing if digest in content}
            found |= {Digest(digest.decode()) for digest in here}
            missing -= here
    return found


class End(Enum):
    """What becomes of one content when its version is removed."""

    FREED = "freed"
    WAITING = "waiting"
    SHARED = "shared"
    COMPACTED = "compacted"  # what goes is for the chunk store to say


class _Fate(NamedTuple):
    digest: Digest
    size: int
    end: End
    pool_file: Path


def _fates(place: ArtifactPlace, folders: Collection[Path], *, at: float) -> list[_Fate]:
    """What becomes of each content of the versions in ``folders`` when these are removed."""
    contents = {digest: size for folder in folders for digest, size in _contents(folder).items()}
    pool, links = Pool(place.artifacts_dir), _links_in(folders)
    store = ChunkStore(pool.folder)
    files = {digest: pool.path_of(digest) for digest in contents}
    single = {digest for digest, path in files.items() if _is_linked_by_nobody_else(path, links)}
    unshared = single - digests_named(place.root, single, but=folders)
    return [
        _Fate(
            digest, size, _end(files[digest], digest in unshared, is_compacted=store.has(digest), at=at), files[digest]
        )
        for digest, size in contents.items()
    ]


def _end(pool_file: Path, is_unshared: bool, *, is_compacted: bool, at: float) -> End:
    if not is_unshared:
        return End.SHARED
    if is_compacted:
        return End.COMPACTED
    try:
        age_s = at - os.lstat(pool_file).st_mtime
    except FileNotFoundError:
        return End.FREED  # it has no other name than those in the version
    return End.FREED if age_s >= MIN_AGE_S else End.WAITING


def _collect_chunks(
    place: ArtifactPlace, fates: Sequence[_Fate], *, at: float, but: Collection[Path], dry_run: bool
) -> Collected:
    """Free what the chunk store keeps for contents that are going. If somebody else compacts, it waits for gc."""
    going = {fate.digest for fate in fates if fate.end is End.COMPACTED}
    if not going:
        return Collected()
    store = ChunkStore(Pool(place.artifacts_dir).folder, lock_timeout_s=1.0)

    def named(compacted: Collection[Digest]) -> Collection[Digest]:
        # asked again while nobody compacts: a version logged since may need one of them
        return set(compacted) - (going - digests_named(place.root, going, but=but))

    try:
        return store.collect(named, at=at, dry_run=dry_run)
    except RunicornError:
        return Collected(waiting_bytes=sum(fate.size for fate in fates if fate.digest in going))


def _is_linked_by_nobody_else(pool_file: Path, links: Mapping[tuple[int, int], int]) -> bool:
    try:
        status = os.lstat(pool_file)
    except FileNotFoundError:
        return True
    return status.st_nlink <= 1 + links.get((status.st_dev, status.st_ino), 0)


def _account(fates: Sequence[_Fate], chunks: Collected) -> Freed:
    def total(end: End) -> int:
        return sum(fate.size for fate in fates if fate.end is end)

    return Freed(
        freed_bytes=total(End.FREED) + chunks.freed_bytes,
        waiting_bytes=total(End.WAITING) + chunks.waiting_bytes,
        shared_bytes=total(End.SHARED),
    )


def _contents(folder: Path) -> dict[Digest, int]:
    """Sizes of a version's contents; none if its manifest is broken, and then nothing in the pool is touched."""
    try:
        return {entry.digest: entry.size for entry in read_manifest(folder).files}
    except UnreadableDocument:
        return {}


def _links_in(folders: Iterable[Path]) -> dict[tuple[int, int], int]:
    """How many names each file has in versions' folders, by (device, inode)."""
    links: Counter[tuple[int, int]] = Counter()
    for folder in folders:
        for below, _, names in os.walk(folder):
            for name in names:
                with suppress(OSError):
                    status = os.lstat(os.path.join(below, name))
                    links[status.st_dev, status.st_ino] += 1
    return links


def _version_like_folders(root: Path) -> Iterator[Path]:
    """Every folder that holds a version, or one that is being made; not those on their way out."""
    for place in all_places(root):
        for home in (place.home, place.older_home):
            with suppress(OSError):
                names = sorted(os.listdir(home))
                yield from (home / name for name in names if not name.startswith(TRASH_PREFIX))
