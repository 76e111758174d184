"""Answers that are sent piece by piece, each read in the request's thread while the event loop serves others.

No sync generators and no FileResponse: under ASGI Django reads those whole into a list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson
from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from experiments.http.rendering import CONTENT_TYPE, encode

#: The most that is sent at once.
PIECE_BYTES = 256 * 1024
#: Rows of a table in one piece: a row of ten metrics has some 200 bytes.
ROWS_A_PIECE = 1000


def json_stream(pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """An answer in JSON of which each piece is made in the request's thread, when it is the piece's turn."""
    return StreamingHttpResponse(_in_thread(pieces), content_type=CONTENT_TYPE)


def array_pieces(slices: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """One JSON array of the items of all slices, a piece for each slice."""
    opening = b"["
    for items in slices:
        if items:
            yield opening + orjson.dumps(items)[1:-1]
            opening = b","
    yield b"]" if opening == b"," else b"[]"


def table_pieces(fields: Mapping[str, Any], rows: Sequence[Any]) -> Iterator[bytes]:
    """A JSON object of ``fields`` and, under ``rows``, an array."""
    slices = (rows[first : first + ROWS_A_PIECE] for first in range(0, len(rows), ROWS_A_PIECE))
    yield encode(fields)[:-1] + b',"rows":'
    yield from array_pieces(slices)
    yield b"}"


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await sync_to_async(next, thread_sensitive=True)(pieces, None)) is not None:
        yield piece


class FilePieces:
    """The bytes of an open file as an asynchronous iterator. Django calls ``close`` when the answer is over."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __aiter__(self) -> FilePieces:
        return self

    async def __anext__(self) -> bytes:
        piece = await sync_to_async(self._file.read, thread_sensitive=True)(PIECE_BYTES)
        if not piece:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        self._file.close()
