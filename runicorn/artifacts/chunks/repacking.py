"""Writing the living part of a pack anew, so that the dead part can go."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runicorn.artifacts.chunks.extents import ExtentList
from runicorn.artifacts.chunks.live import LiveBytes
from runicorn.artifacts.chunks.names import index_name, pack_name
from runicorn.artifacts.chunks.pack_index import Chunk, read_index
from runicorn.artifacts.chunks.pack_writer import PackWriter
from runicorn.artifacts.chunks.reader import open_pack
from runicorn.artifacts.chunks.recipe import read_recipe, write_recipe
from runicorn.errors import StorageDamaged
from runicorn.storage.digests import Digest, hash_file


@dataclass(frozen=True)
class LivingPart:
    """A pack with what lives in another. old_offsets, new_offsets: in bytes, of each chunk; ascending."""

    old: Digest
    new: Digest
    old_offsets: Sequence[int]
    new_offsets: Sequence[int]

    def place_of(self, offset: int) -> int:
        """Where in the new pack a byte lies that lives in the old one."""
        index = bisect_right(self.old_offsets, offset) - 1
        return self.new_offsets[index] + offset - self.old_offsets[index]


def write_living_part(pool: Path, pack: Digest, live: LiveBytes) -> LivingPart:
    """Write a pack of those chunks of ``pack`` that are live. It may be there already.

    Raises StorageDamaged if the pack or its index is damaged, or recipes name parts of chunks. Raises OSError.
    """
    old_offsets, new_offsets = [], []
    with PackWriter(pool) as writer:
        for offset, chunk, content in _living_chunks(pool, pack, live):
            old_offsets.append(offset)
            new_offsets.append(writer.add(content, chunk.sha256))
        if writer.size != live.count():
            raise StorageDamaged(f"{pool / index_name(pack)} and the recipes that name this pack do not agree.")
        new = writer.finish()
        with writer.open() as file:
            found, _ = hash_file(file)
            if found != new:
                raise StorageDamaged(f"{writer.temporary} does not hold what was written.")
        writer.publish()
    return LivingPart(pack, new, old_offsets, new_offsets)


def use_living_part(pool: Path, digest: Digest, part: LivingPart) -> None:
    """Let a blob that needs the old pack need the new one. Raises NotFound, StorageDamaged, OSError."""
    recipe = read_recipe(pool, digest)
    moved: ExtentList[Digest] = ExtentList()
    for extent in recipe.extents:
        pack = recipe.packs[extent.pack]
        # a range that lives is one piece in the new pack, too: every chunk of it came over
        place = (part.new, part.place_of(extent.offset)) if pack == part.old else (pack, extent.offset)
        moved.add(*place, extent.length)
    write_recipe(pool, replace(recipe, packs=moved.packs, extents=moved.extents))


def _living_chunks(pool: Path, pack: Digest, live: LiveBytes) -> Iterator[tuple[int, Chunk, memoryview]]:
    """Each chunk all of whose bytes are live, with its offset and its verified bytes."""
    try:
        index = read_index(pool, pack)
    except FileNotFoundError as error:
        raise StorageDamaged(f"{pool / index_name(pack)} is missing.") from error
    ranges = iter(live.ranges())
    begin, end = next(ranges, (index.size, index.size))
    with open_pack(pool, pack) as file:
        for offset, chunk in index.placed():
            while end <= offset:
                begin, end = next(ranges, (index.size, index.size + 1))
            if begin <= offset and offset + chunk.length <= end:
                file.seek(offset)
                content = file.read(chunk.length)
                if hashlib.sha256(content).digest() != chunk.sha256:
                    raise StorageDamaged(f"{pool / pack_name(pack)} is damaged behind byte {offset}.")
                yield offset, chunk, memoryview(content)
