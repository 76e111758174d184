"""Answers that are sent piece by piece, each read in the request's thread while the event loop serves others.

No sync generators and no FileResponse: under ASGI Django reads those whole into a list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import StreamingHttpResponse

from experiments.http.rendering import CONTENT_TYPE, encode
from runicorn.errors import StorageDamaged

#: The most that is sent at once.
PIECE_BYTES = 256 * 1024


def json_stream(pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """The first piece is made before this returns: what fails there is an error with its status and no torn answer."""
    first = list(islice(pieces, 1))
    return stream(chain(first, pieces), content_type=CONTENT_TYPE)


def stream(pieces: Iterator[bytes], *, content_type: str) -> StreamingHttpResponse:
    """An answer of which each piece is made in the request's thread, when it is the piece's turn."""
    return StreamingHttpResponse(_in_thread(pieces), content_type=content_type)


def array_pieces(slices: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """One JSON array of the items of all slices, which may be numpy arrays, a piece for each slice."""
    opening = b"["
    for items in slices:
        if len(items):
            yield opening + orjson.dumps(items, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
            opening = b","
    yield b"]" if opening == b"," else b"[]"


def table_pieces(fields: Mapping[str, Any], slices: Iterable[Sequence[Any]], *, under: str = "rows") -> Iterator[bytes]:
    """A JSON object of ``fields``, of which there is one at least, and an array of the items of all slices."""
    array = array_pieces(slices)
    yield encode(fields)[:-1] + b"," + encode(under) + b":" + next(array)
    yield from array
    yield b"}"


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces put together as long as they fit into PIECE_BYTES, so that each is worth a visit to the thread."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        if held and size + len(piece) > PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
        held.append(piece)
        size += len(piece)
    if held:
        yield b"".join(held)


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await sync_to_async(_next_piece, thread_sensitive=True)(pieces)) is not None:
        yield piece


def _next_piece(pieces: Iterator[bytes]) -> bytes | None:
    """A client that reads slowly must not keep one of the pool's connections meanwhile."""
    try:
        return next(pieces, None)
    finally:
        close_old_connections()


class FilePieces:
    """Some bytes of an open file as an asynchronous iterator. Django calls ``close`` when the answer is over.

    A file that has become shorter ends with StorageDamaged: the server then cuts the connection, and the client sees
    that it has not got what it was promised.
    """

    def __init__(self, file: BinaryIO, places: range) -> None:
        """places: of the bytes in the file, all of which are there."""
        self._file = file
        self._left = len(places)
        file.seek(places.start)

    def __aiter__(self) -> FilePieces:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return await sync_to_async(self._next, thread_sensitive=True)()

    def _next(self) -> bytes:
        piece = self._file.read(min(PIECE_BYTES, self._left))
        if not piece:
            self.close()  # Django closes no answer that broke
            raise StorageDamaged(f"A file was cut while it was being sent; {self._left:,} bytes are missing.")
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
