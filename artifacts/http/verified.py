"""Sending the stored bytes of a file, verified by the SHA-256 of its manifest.

Who asks for all of a file gets it hashed on the way: its last piece is sent only if all of it was right, else the
connection is cut, and the client has less than it was promised. A small file, and one of which a range is wanted, is
hashed before anything is sent, and answered with 500 if it is damaged. What was found right is remembered for as long
as nothing touches the file: the parts of a download do not hash it again and again.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections import OrderedDict
from typing import BinaryIO

from django.http import HttpRequest, HttpResponseBase

from experiments.http.files import FileIdentity, named_file_answer
from experiments.http.streaming import FilePieces
from runicorn.artifacts.models import FileEntry
from runicorn.errors import StorageDamaged
from runicorn.storage.digests import Digest, hash_file

#: Up to this size a file is hashed before it is sent [8 MiB: 6 ms].
HASHED_FIRST_BYTES = 8 * 1024 * 1024
MAX_REMEMBERED = 10_000

_Mark = tuple[int, int, int, int, int]
_verified: OrderedDict[_Mark, Digest] = OrderedDict()
_lock = threading.Lock()


def verified_answer(request: HttpRequest, file: BinaryIO, entry: FileEntry) -> HttpResponseBase:
    """An open file of a version, or the part of it that was asked for. Closes it. Raises StorageDamaged."""

    def pieces(file: BinaryIO, places: range) -> FilePieces:
        try:
            if _is_known(file, entry):
                return FilePieces(file, places)
            if len(places) == entry.size > HASHED_FIRST_BYTES:
                return _HashedPieces(file, entry)
            _verify(file, entry)
            return FilePieces(file, places)
        except BaseException:
            file.close()
            raise

    identity = FileIdentity(f'"{entry.digest}"', entry.modified_at, entry.size)
    return named_file_answer(request, file, entry.path.rpartition("/")[2], identity, pieces=pieces)


class _HashedPieces(FilePieces):
    """All bytes of a file, of which the last piece is given only if they are the right ones."""

    def __init__(self, file: BinaryIO, entry: FileEntry) -> None:
        super().__init__(file, range(entry.size))
        self._entry = entry
        self._sha256 = hashlib.sha256()

    def _next(self) -> bytes:
        piece = super()._next()
        self._sha256.update(piece)
        if not self._left:
            try:
                _check(self._file, self._entry, Digest(self._sha256.hexdigest()))
            except StorageDamaged:
                self.close()  # Django closes no answer that broke
                raise
        return piece


def damaged(entry: FileEntry, digest: str) -> StorageDamaged:
    return StorageDamaged(
        f"The stored bytes of {entry.path} are not what was logged: their SHA-256 is {digest}, not {entry.digest}. "
        "`runicorn artifacts verify` lists what is damaged."
    )


def _verify(file: BinaryIO, entry: FileEntry) -> None:
    file.seek(0)
    digest, _ = hash_file(file)
    _check(file, entry, digest)


def _check(file: BinaryIO, entry: FileEntry, digest: Digest) -> None:
    if digest != entry.digest:
        raise damaged(entry, digest)
    mark = _mark_of(file)
    if mark is not None:
        with _lock:
            _verified[mark] = digest
            if len(_verified) > MAX_REMEMBERED:
                _verified.popitem(last=False)


def _is_known(file: BinaryIO, entry: FileEntry) -> bool:
    mark = _mark_of(file)
    with _lock:
        return mark is not None and _verified.get(mark) == entry.digest


def _mark_of(file: BinaryIO) -> _Mark | None:
    """What changes when anything touches the file; None for one that is put together from chunks."""
    try:
        status = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
