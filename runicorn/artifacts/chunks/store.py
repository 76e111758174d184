"""The chunk store of a pool: blobs that are kept as chunks they share, instead of as plain files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from runicorn.artifacts.chunks.compaction import Compactor, Estimator
from runicorn.artifacts.chunks.damage import damage_reported
from runicorn.artifacts.chunks.garbage import Collected, Named, collect
from runicorn.artifacts.chunks.names import LOCK, recipe_name
from runicorn.artifacts.chunks.reader import open_blob
from runicorn.errors import Conflict, StorageDamaged
from runicorn.storage.digests import Digest, hash_file
from runicorn.storage.file_lock import file_lock

#: How long a compaction waits for gc, or for another compaction, and gc for them.
LOCK_TIMEOUT_S = 30.0
#: A blob, and what a compaction wrote, is left alone for so long.
MIN_AGE_S = 24 * 3600.0
#: Larger reads go straight to the packs.
_BUFFER_BYTES = 256 * 1024


class ChunkStore:
    """Blobs kept as chunks in the pool ``pool``, which exists. Any number of processes may read while one writes.

    Everything raises StorageDamaged for files that cannot be right, cannot be read or cannot be written.
    """

    def __init__(self, pool: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self._pool = pool
        self._lock_timeout_s = lock_timeout_s

    def has(self, digest: Digest) -> bool:
        """Whether the blob is compacted. Says nothing about its packs; ``check`` does."""
        return (self._pool / recipe_name(digest)).is_file()

    def open(self, digest: Digest) -> BinaryIO:
        """The blob as a seekable file, for one thread at a time. Whoever needs certainty hashes what is read.

        Raises NotFound if the blob is not compacted. Reading raises StorageDamaged, too.
        """
        with damage_reported(self._pool):
            # the reader is what a raw file is; types of the two kinds of binary files do not know each other
            return cast(BinaryIO, io.BufferedReader(open_blob(self._pool, digest), _BUFFER_BYTES))

    def check(self, digest: Digest, *, size: int) -> None:
        """Read the whole blob; returns if those are its bytes.

        size: in bytes, as the manifest says; a recipe of another size is not followed. Raises NotFound if the blob is
        not compacted, StorageDamaged if anything else comes out.
        """
        with damage_reported(self._pool), open_blob(self._pool, digest) as reader:
            path = self._pool / recipe_name(digest)
            if reader.seek(0, io.SEEK_END) != size:
                raise StorageDamaged(f"{path} is for {reader.tell()} bytes, not {size}.")
            reader.seek(0)
            found, _ = hash_file(cast(BinaryIO, reader))
            if found != digest:
                raise StorageDamaged(f"{path} and its packs give bytes whose SHA-256 is {found}.")

    @contextmanager
    def compacting(self, against: Iterable[Digest] = ()) -> Iterator[Compactor]:
        """Compact blobs, one after the other, while nobody else compacts or collects.

        against: compacted blobs to share with, such as the earlier versions of the artifact, the nearest last. Those
        that are compacted within are shared with, too.
        Raises Conflict if somebody else held the lock for too long, StorageDamaged where there are no locks.
        """
        with self._locked():
            yield Compactor(self._pool, against)

    def estimating(self, against: Iterable[Digest] = ()) -> Estimator:
        """As compacting, to say what it would store; takes no lock and writes nothing."""
        return Estimator(self._pool, against)

    def collect(self, named: Named, *, at: float, min_age_s: float = MIN_AGE_S, dry_run: bool = False) -> Collected:
        """Remove blobs that nobody names, packs that no blob needs, and the dead part of packs of which much is dead.

        named: given all compacted blobs, those that a manifest names; asked while nobody compacts. at: Unix seconds, by
        the clock that dates the files. min_age_s: what was changed later than so long before stays.
        dry_run: only say what would be freed. What is damaged stays and is a problem of the answer; while a
        recipe that is needed cannot be read, no pack is removed. Raises as compacting.
        """
        if not self._pool.is_dir():
            return Collected()
        with self._locked(), damage_reported(self._pool):
            return collect(self._pool, named, at=at, min_age_s=min_age_s, dry_run=dry_run)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._pool / LOCK
        with ExitStack() as stack:
            with damage_reported(path):
                held = stack.enter_context(file_lock(path, timeout_s=self._lock_timeout_s))
            if held is None:
                raise StorageDamaged(
                    f"{path} cannot be locked: this file system has no locks, and without them a compaction and a "
                    "garbage collection could meet. Run it on the machine that has the disk."
                )
            if not held:
                raise Conflict(f"Another compaction or garbage collection holds {path}; try again when it is done.")
            yield
