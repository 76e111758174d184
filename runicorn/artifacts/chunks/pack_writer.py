"""Writing packs. A pack has its final name only when it is whole and durable, and is never changed afterwards."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from runicorn.artifacts.chunks.names import PACKS_DIR, READ_ONLY, index_name, make_folder, pack_name
from runicorn.artifacts.chunks.pack_index import Chunk, PackIndex, encode_index
from runicorn.storage.digests import Digest
from runicorn.storage.documents import sync_folder, write_file

#: A larger blob gets several packs, so that gc never has to copy more than this to free what is dead in one.
MAX_BYTES = 1024 * 1024 * 1024
#: Written at a time.
_BUFFER_BYTES = 1024 * 1024


class PackWriter:
    """One new pack; use as a context, which removes what was not published."""

    def __init__(self, pool: Path) -> None:
        self._pool = pool
        self.temporary = make_folder(pool, PACKS_DIR) / f".{os.urandom(4).hex()}.pack.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(self.temporary, flags, READ_ONLY), "wb", _BUFFER_BYTES)
        self._sha256 = hashlib.sha256()
        self._chunks: list[Chunk] = []
        self.size = 0

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()
        with suppress(FileNotFoundError):  # published
            self.temporary.unlink()

    def add(self, chunk: memoryview, sha256: bytes) -> int:
        """Where in the pack the chunk lies now. sha256: of the chunk, 32 bytes."""
        offset = self.size
        self._file.write(chunk)
        self._sha256.update(chunk)
        self._chunks.append(Chunk(sha256, len(chunk)))
        self.size += len(chunk)
        return offset

    def finish(self) -> Digest:
        """Make the bytes durable, still under the temporary name; the pack's future name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Digest(self._sha256.hexdigest())

    def publish(self) -> None:
        """Give the pack its name, and an index. One of that name that is there already holds, or should, the same."""
        pack = Digest(self._sha256.hexdigest())
        os.replace(self.temporary, self._pool / pack_name(pack))
        sync_folder(self._pool / PACKS_DIR)
        write_file(self._pool / index_name(pack), encode_index(PackIndex(self._chunks)), mode=READ_ONLY)

    def open(self) -> BinaryIO:
        """The finished pack under its temporary name."""
        return open(self.temporary, "rb")
