"""Mending what verify found: a version's file from another place that still has its bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runicorn.artifacts.chunks import ChunkStore
from runicorn.artifacts.contents import VersionFolder, all_versions, copy_verified
from runicorn.artifacts.documents import LOCK_TIMEOUT_S, locked, read_index, read_manifest, write_index
from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.places import ArtifactPlace, all_places
from runicorn.artifacts.pool import STORED_MODE, Pool
from runicorn.artifacts.verifying import Finding, Kind, verify
from runicorn.errors import RunicornError
from runicorn.storage import layout
from runicorn.storage.paths import open_regular


@dataclass(frozen=True)
class Repair:
    """What repair did. mended: files that are whole again; left: what it could do nothing about.

    moved: artifacts whose versions of 0.4 lie under their type's own name now.
    """

    mended: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    moved: tuple[str, ...] = ()


def repair(root: Path, *, at: float, rename_folders: bool = False) -> Repair:
    """Verify everything, and give each missing or damaged file its bytes back from wherever they are whole.

    Those places are the pool, its chunks, and other versions. A damaged file of the pool loses its name there, so that
    no later version shares it. What nobody has any more is left as it is. rename_folders: also move versions from
    ``ArtifactType.MODEL/<name>``, as 0.4 wrote them on newer Pythons, to ``model/<name>``. at: Unix seconds.
    Raises StorageDamaged if the root cannot be written, Conflict if an artifact is locked for a minute.
    """
    moved = tuple(_move_older_folders(root, at=at)) if rename_folders else ()
    findings = [finding for finding in verify(root).findings if finding.kind is not Kind.ORPHANED]
    broken = {finding.path for finding in findings}
    pool = Pool(root / layout.ARTIFACTS_DIR)
    for finding in findings:
        if finding.version is None:
            (root / finding.path).unlink(missing_ok=True)
    files = {version.path_of(entry).relative_to(root).as_posix(): entry for version, entry in _files(root)}
    for path in broken & set(files):
        _mend(root, path, files, broken=broken, pool=pool)
    left = tuple(finding for finding in verify(root).findings if finding.kind is not Kind.ORPHANED)
    still = {finding.path for finding in left}
    return Repair(tuple(finding for finding in findings if finding.path not in still), left, moved)


def _mend(root: Path, path: str, files: dict[str, FileEntry], *, broken: set[str], pool: Pool) -> None:
    entry, target = files[path], root / path
    others = [other for other, its in files.items() if its.digest == entry.digest and other not in broken]
    target.parent.mkdir(parents=True, exist_ok=True)
    shared = pool.path_of(entry.digest).relative_to(root).as_posix()
    for source in [*([] if shared in broken else [shared]), *others]:
        with (
            suppress(OSError, RunicornError),
            open_regular(root / layout.ARTIFACTS_DIR, source.partition("/")[2]) as file,
        ):
            copy_verified(file, target, entry, mode=STORED_MODE, flush=True)
            pool.adopt(entry.digest, entry.size, str(target))
            return
    with suppress(RunicornError):
        ChunkStore(pool.folder).check(entry.digest, size=entry.size)
        target.unlink(missing_ok=True)  # the chunks are whole, and every reader finds them


def _files(root: Path) -> Iterator[tuple[VersionFolder, FileEntry]]:
    for version in all_versions(root):
        with suppress(RunicornError):
            yield from ((version, entry) for entry in read_manifest(version.folder).files)


def _move_older_folders(root: Path, *, at: float) -> Iterator[str]:
    for place in all_places(root):
        if place.older_home.is_dir():
            yield _move(place, at=at)


def _move(place: ArtifactPlace, *, at: float) -> str:
    """Version by version, each by a rename: whatever interrupts this, each version is in one of the two folders."""
    with locked(place, timeout_s=LOCK_TIMEOUT_S):
        index = read_index(place)
        for version, folder in place.version_folders().items():
            if folder.parent == place.older_home and not (place.home / f"v{version}").exists():
                os.rename(folder, place.home / f"v{version}")
        write_index(place, index, at=at)
        older = place.older_home
        left = [entry for entry in older.iterdir() if entry.name not in (layout.VERSIONS, layout.ARTIFACT_LOCK)]
        if not left:
            for name in (layout.VERSIONS, layout.ARTIFACT_LOCK):
                (older / name).unlink(missing_ok=True)
            older.rmdir()
            with suppress(OSError):  # other artifacts of the type are to come
                older.parent.rmdir()
    return f"{place.type}/{place.name}"
