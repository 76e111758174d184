"""Which chunks are stored already, and where: what a compaction looks each chunk up in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from runicorn.artifacts.chunks.pack_index import read_index
from runicorn.artifacts.chunks.reader import open_pack
from runicorn.artifacts.chunks.recipe import Recipe
from runicorn.errors import StorageDamaged
from runicorn.storage.digests import Digest

#: Most chunks remembered: those of 12 GB, in about 110 MB of memory.
_MAX_CHUNKS = 600_000
_OFFSET_BITS = 40


class Place(NamedTuple):
    """pack: a number of KnownPacks. offset: in bytes, below 1 TiB."""

    pack: int
    offset: int


class KnownPacks:
    """The packs whose chunks may be shared, numbered as they come, and the places of their chunks."""

    def __init__(self, pool: Path) -> None:
        self._pool = pool
        self._names: list[Digest | None] = []
        self._learnt: set[Digest] = set()
        self._chunks = KnownChunks()

    def learn(self, recipe: Recipe) -> None:
        """Add the chunks of the recipe's packs. Those of a pack that is damaged or has no index are not shared."""
        for pack in recipe.packs:
            if pack in self._learnt:
                continue
            self._learnt.add(pack)
            try:
                index = read_index(self._pool, pack)
                with open_pack(self._pool, pack) as file:
                    size = os.fstat(file.fileno()).st_size
            except (FileNotFoundError, StorageDamaged):
                continue
            if index.size == size:
                number = self.begin()
                self.publish(number, pack)
                for offset, chunk in index.placed():
                    self._chunks.add(chunk.sha256, Place(number, offset))

    def begin(self) -> int:
        """The number of a pack that is about to be written."""
        self._names.append(None)
        return len(self._names) - 1

    def publish(self, number: int, pack: Digest) -> None:
        self._names[number] = pack
        self._learnt.add(pack)

    def name_of(self, number: int) -> Digest | None:
        """None if the pack is not published."""
        return self._names[number]

    def add(self, sha256: bytes, place: Place) -> None:
        self._chunks.add(sha256, place)

    def find(self, sha256: bytes, *, begun_since: int) -> Place | None:
        """Where the chunk lies: in a published pack, or in one whose number is at least ``begun_since``.

        What a compaction that failed had put into its own packs is not found any more.
        """
        place = self._chunks.find(sha256)
        if place is None or (place.pack < begun_since and self._names[place.pack] is None):
            return None
        return place


class KnownChunks:
    """From the SHA-256 of a chunk to its place.

    Beyond _MAX_CHUNKS the half that was neither added nor found lately is forgotten: those chunks are stored again
    when they are met, which costs space and nothing else.
    """

    def __init__(self) -> None:
        # a place as one integer: half the memory of a tuple
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def find(self, sha256: bytes) -> Place | None:
        code = self._young.get(sha256)
        if code is None:
            code = self._old.pop(sha256, None)
            if code is None:
                return None
            self._remember(sha256, code)
        return Place(code >> _OFFSET_BITS, code & ((1 << _OFFSET_BITS) - 1))

    def add(self, sha256: bytes, place: Place) -> None:
        self._remember(sha256, place.pack << _OFFSET_BITS | place.offset)

    def _remember(self, sha256: bytes, code: int) -> None:
        if len(self._young) >= _MAX_CHUNKS // 2:
            self._old, self._young = self._young, {}
        self._young[sha256] = code
