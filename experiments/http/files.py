"""Files of run directories as answers: what a browser may show, what it must save, and what is not there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date

from experiments.access import run_directory
from experiments.http.errors import Problem, problem_response
from experiments.http.ranges import asked_range
from experiments.http.streaming import FilePieces
from experiments.models import Run
from runicorn.errors import NotFound, OutsideRoot, StorageDamaged
from runicorn.storage import layout
from runicorn.storage.paths import open_regular, resolve_inside

Pieces = Callable[[BinaryIO, range], AsyncIterator[bytes]]

#: What is shown in place. Anything else is offered for saving: an SVG or HTML file that a run holds could run scripts
#: in the viewer's own origin.
INLINE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}


@dataclass(frozen=True)
class FileIdentity:
    """What tells a file from one that replaced it. modified_at: Unix seconds."""

    etag: str
    modified_at: float
    size: int

    @classmethod
    def of(cls, file: BinaryIO) -> FileIdentity:
        status = os.fstat(file.fileno())
        return cls(f'"{status.st_mtime_ns:x}-{status.st_size:x}"', status.st_mtime, status.st_size)


def media_response(request: HttpRequest, run: Run, name: str) -> HttpResponseBase:
    """The file ``name`` in the run's media folder. Raises NotFound, also for a link that leads out of it."""
    try:
        file = open_regular(resolve_inside(run_directory(run), layout.MEDIA_DIR), name)
    except (OSError, OutsideRoot, StorageDamaged) as error:
        raise NotFound("Media file not found") from error
    return named_file_answer(request, file, PurePosixPath(name).name, FileIdentity.of(file))


def run_file_response(request: HttpRequest, run: Run, path: str) -> HttpResponseBase:
    """The file at ``path`` below the run directory, offered for saving.

    Raises NotFound, also for a link that leads out of it.
    """
    try:
        file = open_regular(run_directory(run), path)
    except (OSError, OutsideRoot, StorageDamaged) as error:
        raise NotFound("The run has no such file.") from error
    answer = file_answer(request, file, FileIdentity.of(file), content_type="application/octet-stream")
    if answer.streaming:
        answer["Content-Disposition"] = content_disposition_header(True, PurePosixPath(path).name) or "attachment"
    return answer


def named_file_answer(
    request: HttpRequest, file: BinaryIO, name: str, identity: FileIdentity, *, pieces: Pieces = FilePieces
) -> HttpResponseBase:
    """As ``file_answer``; raster images are shown in place, anything else is offered for saving as ``name``."""
    inline_type = INLINE_TYPES.get(PurePosixPath(name).suffix.lower())
    content_type = inline_type or "application/octet-stream"
    answer = file_answer(request, file, identity, content_type=content_type, pieces=pieces)
    if answer.streaming:
        answer["Content-Disposition"] = content_disposition_header(inline_type is None, name) or "inline"
    return answer


def file_answer(
    request: HttpRequest, file: BinaryIO, identity: FileIdentity, *, content_type: str, pieces: Pieces = FilePieces
) -> HttpResponseBase:
    """An open file or the part of it that was asked for, piece by piece, or 304 for who has it already.

    Closes it when the answer is over. As many bytes are sent as it had in the beginning, also if it grows meanwhile.
    pieces: makes the sent pieces of the file and the places of its bytes; what it raises is answered.
    """
    size, modified_s, etag = identity.size, int(identity.modified_at), identity.etag
    response = StreamingHttpResponse(content_type=content_type)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(modified_s)
    response["Cache-Control"] = "no-cache"  # ask, and get 304: a file may be replaced under its name
    response["X-Content-Type-Options"] = "nosniff"
    response["Accept-Ranges"] = "bytes"
    answer = get_conditional_response(request, etag=etag, last_modified=modified_s, response=response)
    if answer is not response:
        file.close()
        return answer
    part = asked_range(request, size=size, etag=etag, modified_s=modified_s)
    if part is not None and not part:
        file.close()
        return _no_such_part(request, size)
    if part is not None:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    sent = range(size) if part is None else part
    response["Content-Length"] = str(len(sent))
    response.streaming_content = pieces(file, sent)
    return response


def _no_such_part(request: HttpRequest, size: int) -> HttpResponse:
    detail = f"The file has {size:,} bytes, and none of those that were asked for."
    response = problem_response(request, Problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail))
    response["Content-Range"] = f"bytes */{size}"
    return response
