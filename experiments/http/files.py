"""Files of run directories as answers: what a browser may show, what it must save, and what is not there."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import BinaryIO

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date

from experiments.access import run_directory
from experiments.http.streaming import FilePieces
from experiments.models import Run
from runicorn.errors import NotFound, OutsideRoot, StorageDamaged
from runicorn.storage import layout
from runicorn.storage.paths import open_regular, resolve_inside

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


def media_response(request: HttpRequest, run: Run, name: str) -> HttpResponseBase:
    """The file ``name`` in the run's media folder, or 304. Raises NotFound, also for a link that leads out of it."""
    try:
        file = open_regular(resolve_inside(run_directory(run), layout.MEDIA_DIR), name)
    except (OSError, OutsideRoot, StorageDamaged) as error:
        raise NotFound("Media file not found") from error
    response = _file_response(file, name=PurePosixPath(name).name)
    etag, modified = response["ETag"], os.fstat(file.fileno()).st_mtime
    answer = get_conditional_response(request, etag=etag, last_modified=int(modified), response=response)
    if answer is not response:
        file.close()
    return answer


def _file_response(file: BinaryIO, *, name: str) -> StreamingHttpResponse:
    status = os.fstat(file.fileno())
    inline_type = INLINE_TYPES.get(PurePosixPath(name).suffix.lower())
    response = StreamingHttpResponse(FilePieces(file), content_type=inline_type or "application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(inline_type is None, name) or "inline"
    response["Content-Length"] = str(status.st_size)
    response["ETag"] = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    response["Last-Modified"] = http_date(status.st_mtime)
    response["Cache-Control"] = "no-cache"  # ask, and get 304: a file may be replaced under its name
    response["X-Content-Type-Options"] = "nosniff"
    return response
