"""Removing what no version needs: contents that nobody names, and what killed writers left."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runicorn.artifacts.chunks import ChunkStore
from runicorn.artifacts.places import all_places
from runicorn.artifacts.pool import Pool
from runicorn.artifacts.removal import MIN_AGE_S, TRASH_PREFIX, digests_named, remove_tree
from runicorn.artifacts.saving import STAGING_PREFIX
from runicorn.storage import layout
from runicorn.storage.digests import Digest
from runicorn.storage.disk_usage import disk_bytes


@dataclass(frozen=True)
class Garbage:
    """What gc removed, or would remove. freed_bytes: on the disk, as ``du`` counts. waiting_bytes: too young now.

    folders: versions that were never finished, or never quite removed. problems: what stayed, with path and reason.
    """

    contents: int = 0
    folders: int = 0
    compacted: int = 0
    freed_bytes: int = 0
    waiting_bytes: int = 0
    problems: tuple[str, ...] = ()


def collect_garbage(root: Path, *, at: float, min_age_s: float = MIN_AGE_S, dry_run: bool = False) -> Garbage:
    """Remove contents that no manifest names, of a version or of one being made, and leavings of killed writers.

    at: Unix seconds, by the clock that dates the files. min_age_s: what was touched later than so long before stays:
    a writer touches what it is about to share. Logging goes on meanwhile. dry_run: only say what would be freed.
    Raises Conflict if somebody else compacts or collects, StorageDamaged where there are no locks.
    """
    pool = Pool(root / layout.ARTIFACTS_DIR)
    sweep = _Sweep(before=at - min_age_s, dry_run=dry_run)
    folders = sum(sweep.remove_folder(folder) for folder in _leavings(root))
    stored = set(pool.contents())
    unnamed = sorted(stored - digests_named(root, stored))
    contents = sum(sweep.remove_file(pool.path_of(digest)) for digest in unnamed)

    def named(compacted: Collection[Digest]) -> Collection[Digest]:
        return digests_named(root, compacted)

    chunks = ChunkStore(pool.folder).collect(named, at=at, min_age_s=min_age_s, dry_run=dry_run)
    return Garbage(
        contents=contents,
        folders=folders,
        compacted=chunks.blobs,
        freed_bytes=sweep.freed_bytes + chunks.freed_bytes,
        waiting_bytes=sweep.waiting_bytes + chunks.waiting_bytes,
        problems=(*sweep.problems, *chunks.problems),
    )


class _Sweep:
    def __init__(self, *, before: float, dry_run: bool) -> None:
        self._before = before
        self._dry_run = dry_run
        self.freed_bytes = 0
        self.waiting_bytes = 0
        self.problems: list[str] = []

    def remove_folder(self, folder: Path) -> bool:
        return self._remove(folder, _newest(folder), remove_tree)

    def remove_file(self, path: Path) -> bool:
        return self._remove(path, _newest(path), lambda path: path.unlink(missing_ok=True))

    def _remove(self, path: Path, touched_at: float, remove: Callable[[Path], None]) -> bool:
        size = disk_bytes([path])
        if touched_at > self._before:
            self.waiting_bytes += size
            return False
        if not self._dry_run:
            try:
                remove(path)
            except OSError as error:
                self.problems.append(f"{error.filename or path} cannot be removed: {error.strerror}.")
                return False
        self.freed_bytes += size
        return True


def _leavings(root: Path) -> Iterator[Path]:
    """Hidden folders of versions that are being made or removed, or were when their process died."""
    for place in all_places(root):
        with suppress(OSError):
            for name in sorted(os.listdir(place.home)):
                folder = place.home / name
                if name.startswith((STAGING_PREFIX, TRASH_PREFIX)) and not folder.is_symlink():
                    yield folder


def _newest(path: Path) -> float:
    """When anything at or below ``path`` was touched last; a writer that still copies has just done so."""
    newest = 0.0
    for below, folders, names in os.walk(path):
        for name in (".", *folders, *names):
            with suppress(OSError):
                newest = max(newest, os.lstat(os.path.join(below, name)).st_mtime)
    with suppress(OSError):
        newest = max(newest, os.lstat(path).st_mtime)
    return newest
