"""Pools with blobs kept as chunks, and the contents to put there."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from runicorn.artifacts.chunks import ChunkStore, CompactedBlob
from runicorn.artifacts.chunks.pack_index import Chunk, PackIndex, encode_index
from runicorn.storage.digests import Digest, digest_of

KB = 1024
MB = 1024 * KB


def random_content(size: int, *, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def changed(content: bytes, *, ranges: int = 1, share: float = 0.2, seed: int = 1) -> bytes:
    """The content with that share of its bytes overwritten, in so many ranges that do not touch."""
    result, chosen = bytearray(content), random.Random(seed)
    slot = len(content) // ranges
    length = int(slot * share)
    for index in range(ranges):
        begin = index * slot + chosen.randrange(slot - length + 1)
        result[begin : begin + length] = chosen.randbytes(length)
    return bytes(result)


def checkpoints(count: int, size: int, *, ranges: int = 8, seed: int = 1) -> Iterator[bytes]:
    """Contents of which each differs from the one before as ``changed`` says."""
    content = random_content(size, seed=seed)
    for index in range(count):
        yield content
        content = changed(content, ranges=ranges, seed=1000 * seed + index)


def put(pool: Path, content: bytes) -> tuple[Digest, Path]:
    """The content as a plain file of the pool."""
    digest = digest_of(content)
    path = pool / digest[:2] / digest
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(content)
    return digest, path


def compact(pool: Path, contents: Iterable[bytes], *, against: Sequence[Digest] = ()) -> list[CompactedBlob]:
    """Each content as a plain file that is compacted and removed."""
    blobs = []
    with ChunkStore(pool).compacting(against) as compactor:
        for content in contents:
            digest, path = put(pool, content)
            blobs.append(compactor.compact(digest, path))
            path.unlink()
    return blobs


def read(pool: Path, digest: Digest) -> bytes:
    with ChunkStore(pool).open(digest) as file:
        return file.read()


def pack_files(pool: Path) -> list[Path]:
    return sorted((pool / "packs").glob("*.pack"))


def recipe_path(pool: Path, digest: Digest) -> Path:
    return pool / digest[:2] / f"{digest}.recipe"


def write_pack(pool: Path, chunks: Sequence[bytes]) -> Digest:
    """A pack with its index, by hand."""
    content = b"".join(chunks)
    pack = digest_of(content)
    (pool / "packs").mkdir(exist_ok=True, parents=True)
    (pool / "packs" / f"{pack}.pack").write_bytes(content)
    index = PackIndex([Chunk(hashlib.sha256(chunk).digest(), len(chunk)) for chunk in chunks])
    (pool / "packs" / f"{pack}.idx").write_bytes(encode_index(index))
    return pack


def write_recipe_by_hand(
    pool: Path,
    content: bytes,
    packs: Sequence[str],
    extents: Sequence[Sequence[int]],
    says: Mapping[str, object] | None = None,
) -> Digest:
    """A recipe that should give ``content``. says: keys that it has otherwise."""
    digest = digest_of(content)
    document = {"format": 1, "size": len(content), "digest": digest, "chunker": {}, "packs": packs, "extents": extents}
    path = recipe_path(pool, digest)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps({**document, **(says or {})}))
    return digest
