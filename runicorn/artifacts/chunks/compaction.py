"""Turning plain files into recipes and packs.

The steps and what a crash leaves: docs/design/0018-artifact-chunks.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, cast

from runicorn.artifacts.chunks import pack_writer
from runicorn.artifacts.chunks.chunker import CHUNKER, cut
from runicorn.artifacts.chunks.damage import damage_reported
from runicorn.artifacts.chunks.extents import ExtentList
from runicorn.artifacts.chunks.known import KnownPacks, Place
from runicorn.artifacts.chunks.names import pack_name, recipe_name
from runicorn.artifacts.chunks.pack_writer import PackWriter
from runicorn.artifacts.chunks.reader import ExtentReader, open_blob, open_pack
from runicorn.artifacts.chunks.recipe import MAX_EXTENTS, Recipe, read_recipe, write_recipe
from runicorn.errors import NotFound, StorageDamaged
from runicorn.storage.digests import PIECE_BYTES, Digest, hash_file

#: Above this nothing is looked up any more: new chunks lie side by side and make one extent a pack.
_MAX_SHARED_EXTENTS = MAX_EXTENTS - 10_000


@dataclass(frozen=True)
class CompactedBlob:
    """size_bytes: of the blob. new_bytes: of its chunks that were not stored before."""

    digest: Digest
    size_bytes: int
    new_bytes: int


class Compactor:
    """Compacts one blob after the other, each sharing with those before. ChunkStore.compacting gives one."""

    def __init__(self, pool: Path, against: Iterable[Digest]) -> None:
        self._pool = pool
        self._known = learn_packs(pool, against)

    def compact(self, digest: Digest, source: Path) -> CompactedBlob:
        """Store the bytes of ``source`` as chunks. They are read back and hashed before this returns.

        ``source`` stays; the caller may remove it. A blob that is compacted already is only verified, and its recipe's
        mtime set to now. Raises StorageDamaged if ``source`` has not that digest, if a pack it shares with is damaged,
        or if the disk is full, InvalidInput where pyfastcdc is missing; the blob is then as it was.
        """
        with damage_reported(self._pool):
            existing = self._find_intact(digest)
            if existing is None:
                return self._compact(digest, source)
            self._known.learn(existing)
            return CompactedBlob(digest, existing.size, 0)

    def _compact(self, digest: Digest, source: Path) -> CompactedBlob:
        with ExitStack() as stack:
            packs = _NewPacks(self._pool, self._known, stack)
            extents = self._store_chunks(source, packs)
            written = packs.finish()
            named = extents.moved(lambda number, offset: (packs.name_of(number), offset))
            recipe = Recipe(digest, named.size, named.packs, named.extents, CHUNKER)
            self._verify(recipe, written, source)
            packs.publish()
            write_recipe(self._pool, recipe)
        if read_recipe(self._pool, digest) != recipe:
            raise StorageDamaged(f"{self._pool / recipe_name(digest)} is not what was written.")
        return CompactedBlob(digest, recipe.size, sum(writer.size for writer in written.values()))

    def _find_intact(self, digest: Digest) -> Recipe | None:
        """The blob's recipe if there is one and it gives back the blob, then as young as a new one."""
        try:
            recipe = read_recipe(self._pool, digest)
            with open_blob(self._pool, digest) as reader:
                found, _ = hash_file(cast(BinaryIO, reader))
        except (NotFound, StorageDamaged):
            return None
        if found != digest:
            return None
        os.utime(self._pool / recipe_name(digest))
        return recipe

    def _store_chunks(self, source: Path, packs: _NewPacks) -> ExtentList[int]:
        extents: ExtentList[int] = ExtentList()
        for chunk in cut(source):
            sha256 = hashlib.sha256(chunk).digest()
            shares = len(extents.extents) < _MAX_SHARED_EXTENTS
            place = self._known.find(sha256, begun_since=packs.first) if shares else None
            if place is None:
                place = packs.add(chunk, sha256)
                self._known.add(sha256, place)
            extents.add(place.pack, place.offset, len(chunk))
        return extents

    def _verify(self, recipe: Recipe, written: Mapping[Digest, PackWriter], source: Path) -> None:
        """Raises StorageDamaged if the recipe does not give back the blob, saying whose fault it is."""

        def open_either(pack: Digest) -> BinaryIO:
            return written[pack].open() if pack in written else open_pack(self._pool, pack)

        with ExtentReader(self._pool, recipe, open_either, lambda: recipe) as reader:
            found, _ = hash_file(cast(BinaryIO, reader))
            if found == recipe.digest:
                return
            with open(source, "rb", buffering=0) as file:
                actual, _ = hash_file(cast(BinaryIO, file))
                if actual != recipe.digest:
                    raise StorageDamaged(f"{source} is not what was logged: its SHA-256 is {actual}.")
                place = _first_difference(cast(BinaryIO, reader), cast(BinaryIO, file))
        ends = accumulate(extent.length for extent in recipe.extents)
        extent = next(extent for extent, end in zip(recipe.extents, ends, strict=True) if place < end)
        path = self._pool / pack_name(recipe.packs[extent.pack])
        raise StorageDamaged(f"{path} is damaged behind byte {extent.offset}; {source} stays as it is.")


class Estimator:
    """What compacting blobs one after the other would store, without writing. ChunkStore.estimating gives one."""

    def __init__(self, pool: Path, against: Iterable[Digest]) -> None:
        self._pool = pool
        self._known = learn_packs(pool, against)
        self._imagined = self._known.begin()

    def estimate(self, digest: Digest, source: Path) -> CompactedBlob:
        """What ``compact`` would return, nothing verified. Raises as that."""
        try:
            recipe = read_recipe(self._pool, digest)
        except (NotFound, StorageDamaged):
            with damage_reported(self._pool):
                return self._count(digest, source)
        self._known.learn(recipe)
        return CompactedBlob(digest, recipe.size, 0)

    def _count(self, digest: Digest, source: Path) -> CompactedBlob:
        size = new = 0
        for chunk in cut(source):
            size += len(chunk)
            sha256 = hashlib.sha256(chunk).digest()
            if self._known.find(sha256, begun_since=self._imagined) is None:
                self._known.add(sha256, Place(self._imagined, 0))
                new += len(chunk)
        return CompactedBlob(digest, size, new)


def learn_packs(pool: Path, against: Iterable[Digest]) -> KnownPacks:
    """The packs of those blobs that are compacted. Of more chunks than are remembered, the last ones named count."""
    known = KnownPacks(pool)
    for digest in against:
        try:
            known.learn(read_recipe(pool, digest))
        except (NotFound, StorageDamaged):
            continue
    return known


class _NewPacks:
    """The packs of one blob that is being compacted: a new one when one is full."""

    def __init__(self, pool: Path, known: KnownPacks, stack: ExitStack) -> None:
        self._pool = pool
        self._known = known
        self._stack = stack
        self._writers: dict[int, PackWriter] = {}
        self._names: dict[int, Digest] = {}
        self._number = self.first = known.begin()

    def add(self, chunk: memoryview, sha256: bytes) -> Place:
        writer = self._writers.get(self._number)
        if writer is not None and writer.size + len(chunk) > pack_writer.MAX_BYTES:
            self._names[self._number] = writer.finish()
            self._number = self._known.begin()
            writer = None
        if writer is None:
            writer = self._writers[self._number] = self._stack.enter_context(PackWriter(self._pool))
        return Place(self._number, writer.add(chunk, sha256))

    def finish(self) -> dict[Digest, PackWriter]:
        """Every new pack, durable under its temporary name."""
        if self._number in self._writers:
            self._names[self._number] = self._writers[self._number].finish()
        return {self._names[number]: writer for number, writer in self._writers.items()}

    def name_of(self, number: int) -> Digest:
        name = self._names.get(number) or self._known.name_of(number)
        assert name is not None  # places are found in named packs and in ours only
        return name

    def publish(self) -> None:
        for number, writer in self._writers.items():
            writer.publish()
            self._known.publish(number, self._names[number])


def _first_difference(one: BinaryIO, other: BinaryIO) -> int:
    """The place of the first byte in which two files differ that are known to."""
    place = one.seek(0) + other.seek(0)
    while True:
        left, right = one.read(PIECE_BYTES), other.read(PIECE_BYTES)
        if left != right or not left:
            pairs = zip(left, right, strict=False)
            return place + next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))
        place += len(left)
