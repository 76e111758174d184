"""SHA-256 digests of files: their form, and hashing bytes while they are copied."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NewType

#: 64 lowercase hex digits. Made by ``parse_digest`` and the functions here only.
Digest = NewType("Digest", str)

#: Bytes read, hashed and written at a time.
PIECE_BYTES = 2 * 1024 * 1024
#: Pieces under way at once: one read, one written, one hashed, one flushed.
_PIECES = 4
#: Written bytes after which the disk is told to begin, so that the flush at the end finds little to do.
_FLUSH_EVERY_BYTES = 64 * 1024 * 1024
_PREFIX = "sha256:"
_FORM = re.compile(r"[0-9a-f]{64}")


def parse_digest(text: object) -> Digest:
    """The digest in ``sha256:<hex>`` or bare hex. Raises ValueError for anything else."""
    hexadecimal = text.removeprefix(_PREFIX).lower() if isinstance(text, str) else ""
    if not _FORM.fullmatch(hexadecimal):
        raise ValueError(f"{text!r} is no SHA-256 digest.")
    return Digest(hexadecimal)


def prefixed(digest: Digest) -> str:
    """How documents write a digest: ``sha256:<hex>``."""
    return _PREFIX + digest


def digest_of(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())


def hash_file(file: BinaryIO) -> tuple[Digest, int]:
    """Digest and number of the bytes from where ``file`` stands to its end. Raises OSError."""
    sha256, size, buffer = hashlib.sha256(), 0, memoryview(bytearray(PIECE_BYTES))
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # BinaryIO lacks it, every binary file has it
        sha256.update(buffer[:count])
        size += count
    return Digest(sha256.hexdigest()), size


def copy_hashed(source: BinaryIO, target: BinaryIO, *, flush: bool = False) -> tuple[Digest, int]:
    """Copy the rest of ``source``; digest and number of the very bytes that were written.

    Hashing, and with ``flush`` the way to the disk, run beside the copying: hashlib and the system's calls let other
    threads run. With ``flush`` the bytes are durable on return. target: an unbuffered binary file. Raises OSError.
    """
    sha256, size = hashlib.sha256(), 0
    free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
    for _ in range(_PIECES):
        free.put(memoryview(bytearray(PIECE_BYTES)))
    with _hashing(sha256, free) as filled, _flushing(target.fileno(), enabled=flush) as flusher:
        while count := source.readinto(buffer := free.get()):  # type: ignore[attr-defined]
            filled.put((buffer, count))
            _write_all(target, buffer[:count])
            size += count
            flusher.written(count)
    return Digest(sha256.hexdigest()), size


@contextmanager
def _hashing(
    sha256: hashlib._Hash, free: queue.SimpleQueue[memoryview]
) -> Iterator[queue.SimpleQueue[tuple[memoryview, int] | None]]:
    """A queue of buffers to hash, each given back to ``free``; all are hashed when the block is left."""
    filled: queue.SimpleQueue[tuple[memoryview, int] | None] = queue.SimpleQueue()

    def hash_all() -> None:
        while (piece := filled.get()) is not None:
            buffer, count = piece
            sha256.update(buffer[:count])
            free.put(buffer)

    thread = threading.Thread(target=hash_all, name="runicorn-hash")
    thread.start()
    try:
        yield filled
    finally:
        filled.put(None)
        thread.join()


class _Flusher:
    """Sends written bytes on to the disk from a thread of its own, now and then and at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unflushed = 0
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._flush_all, name="runicorn-flush")
        self._thread.start()

    def written(self, count: int) -> None:
        self._unflushed += count
        if self._unflushed >= _FLUSH_EVERY_BYTES:
            self._unflushed = 0
            self._wanted.put(True)

    def finish(self) -> None:
        """Returns when every written byte is durable. Raises the OSError of the disk."""
        self._wanted.put(False)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _flush_all(self) -> None:
        goes_on = True
        while goes_on and self._error is None:
            goes_on = self._wanted.get()
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._error = error


class _NoFlusher:
    def written(self, count: int) -> None:
        pass


@contextmanager
def _flushing(descriptor: int, *, enabled: bool) -> Iterator[_Flusher | _NoFlusher]:
    if not enabled:
        yield _NoFlusher()
        return
    flusher = _Flusher(descriptor)
    try:
        yield flusher
    finally:
        flusher.finish()


def _write_all(target: BinaryIO, piece: memoryview) -> None:
    while piece:
        piece = piece[target.write(piece) :]
