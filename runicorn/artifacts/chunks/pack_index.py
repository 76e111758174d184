"""The index beside a pack: digest and length of each of its chunks. Needed to add to the pool, never to read from it.

The format: docs/design/0018-artifact-chunks.md.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from runicorn.artifacts.chunks.names import index_name
from runicorn.errors import OutsideRoot, StorageDamaged
from runicorn.storage.digests import Digest
from runicorn.storage.paths import open_regular

_MAGIC = b"RNCHUNKS"
FORMAT = 1
#: Magic, format, number of chunks, bytes of the pack; little-endian, 24 bytes.
_HEADER = struct.Struct("<8sIIQ")
#: SHA-256 and length of a chunk; 36 bytes.
_CHUNK = struct.Struct("<32sI")
_TRAILER_BYTES = hashlib.sha256().digest_size
#: No pack of ours has an index near that: 1 GiB of the smallest chunks has one of 9 MiB.
_MAX_BYTES = 64 * 1024 * 1024


class Chunk(NamedTuple):
    """sha256: 32 bytes. length: in bytes."""

    sha256: bytes
    length: int


@dataclass(frozen=True)
class PackIndex:
    """The chunks of a pack, which lie in it one after the other without gaps."""

    chunks: Sequence[Chunk]

    @property
    def size(self) -> int:
        """Bytes of the pack."""
        return sum(chunk.length for chunk in self.chunks)

    def placed(self) -> Iterator[tuple[int, Chunk]]:
        """Each chunk with its offset in the pack."""
        offset = 0
        for chunk in self.chunks:
            yield offset, chunk
            offset += chunk.length


def encode_index(index: PackIndex) -> bytes:
    body = _HEADER.pack(_MAGIC, FORMAT, len(index.chunks), index.size)
    body += b"".join(_CHUNK.pack(*chunk) for chunk in index.chunks)
    return body + hashlib.sha256(body).digest()


def read_index(pool: Path, pack: Digest) -> PackIndex:
    """Raises FileNotFoundError, or StorageDamaged if it is not what was written."""
    path = pool / index_name(pack)
    try:
        with open_regular(pool, index_name(pack)) as file:
            content = file.read(min(os.fstat(file.fileno()).st_size, _MAX_BYTES) + 1)
    except OutsideRoot as error:
        raise StorageDamaged(str(error)) from error
    try:
        return _decode(content)
    except ValueError as error:
        raise StorageDamaged(f"{path} is no index of a pack: {error}") from error


def _decode(content: bytes) -> PackIndex:
    """Raises ValueError saying what is wrong."""
    if len(content) < _HEADER.size + _TRAILER_BYTES or len(content) > _MAX_BYTES:
        raise ValueError(f"it has {len(content)} bytes.")
    magic, version, count, size = _HEADER.unpack_from(content)
    if magic != _MAGIC or version != FORMAT:
        raise ValueError(f"it begins with {magic!r} and format {version}; this version reads {FORMAT}.")
    end = len(content) - _TRAILER_BYTES
    if end != _HEADER.size + count * _CHUNK.size:
        raise ValueError(f"it has {len(content)} bytes for {count} chunks.")
    if hashlib.sha256(content[:end]).digest() != content[end:]:
        raise ValueError("its last 32 bytes are not the SHA-256 of the others.")
    index = PackIndex([Chunk(*fields) for fields in _CHUNK.iter_unpack(content[_HEADER.size : end])])
    if index.size != size or any(chunk.length == 0 for chunk in index.chunks):
        raise ValueError(f"its chunks have {index.size} bytes, and the pack {size}.")
    return index
