"""All files of a version as one zip archive, made while it is sent: no temporary file, a piece in memory at a time."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Iterable, Iterator

from artifacts.http.verified import damaged
from experiments.http.streaming import PIECE_BYTES
from runicorn.artifacts.contents import open_file
from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.places import ArtifactPlace

#: The zip format dates files from 1980 to 2107, here by UTC.
_FIRST_S, _LAST_S = 315_532_800, 4_354_819_198
_MODE = 0o644


def zip_pieces(place: ArtifactPlace, version: int, entries: Iterable[FileEntry]) -> Iterator[bytes]:
    """The pieces of an archive of these files, stored as they are, each verified by its SHA-256.

    Raises StorageDamaged in the middle for bytes that are missing or not what was logged: what was sent by then has
    no table of contents, and no program takes it for an archive.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # tell() is not needed
        for entry in entries:
            yield from _member(archive, sink, place, version, entry)
    yield from sink.pieces(rest=True)


def _member(
    archive: zipfile.ZipFile, sink: _Sink, place: ArtifactPlace, version: int, entry: FileEntry
) -> Iterator[bytes]:
    sha256 = hashlib.sha256()
    with open_file(place, version, entry) as source, archive.open(_info(entry), "w") as member:
        while piece := source.read(PIECE_BYTES):
            sha256.update(piece)
            member.write(piece)
            yield from sink.pieces()
    if sha256.hexdigest() != entry.digest:
        raise damaged(entry, sha256.hexdigest())


def _info(entry: FileEntry) -> zipfile.ZipInfo:
    moment = time.gmtime(min(max(entry.modified_at, _FIRST_S), _LAST_S))
    info = zipfile.ZipInfo(entry.path, moment[:6])
    info.external_attr = _MODE << 16
    info.file_size = entry.size  # beyond 4 GiB the member is written as zip64
    return info


class _Sink:
    """Takes what the archive writes until it is sent. It cannot be sought in, so sizes follow the bytes."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def flush(self) -> None: ...

    def pieces(self, *, rest: bool = False) -> Iterator[bytes]:
        """What fills whole pieces, and with ``rest`` all that is left."""
        end = len(self._held) if rest else len(self._held) - len(self._held) % PIECE_BYTES
        for first in range(0, end, PIECE_BYTES):
            yield bytes(self._held[first : min(first + PIECE_BYTES, end)])
        del self._held[:end]
