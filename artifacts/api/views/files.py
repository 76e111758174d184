"""Files of a version: their list, one of them, all as an archive."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request
from rest_framework.views import APIView

from artifacts.api import schemas
from artifacts.api.choice import NOT_THE_ONE, chosen_version
from artifacts.api.serializers import ArtifactChoiceQuery
from artifacts.http.verified import verified_answer
from artifacts.http.zips import zip_pieces
from artifacts.queries.files import file_slices, files_in, get_file, references_in
from experiments.api.describe import File, describe
from experiments.http.files import INLINE_TYPES
from experiments.http.streaming import json_stream, stream, table_pieces
from runicorn.artifacts.contents import open_file

#: A file has some 350 bytes as JSON; a piece of the answer has at most 256 KiB.
FILES_A_SLICE = 700
ANY_FILE = File((*INLINE_TYPES.values(), "application/octet-stream"))
ZIP = "application/zip"


class VersionFiles(APIView):
    """Every file and reference of a version."""

    @describe(
        "listFiles",
        "Files of a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=schemas.VersionFiles,
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str, version: int) -> HttpResponseBase:
        found = chosen_version(request, name, version)
        fields = {
            "artifact": f"{name}:v{version}",
            "references": references_in(found),
            "total_size": found.size_bytes,
            "total_files": found.num_files,
            "total_references": found.num_references,
            "is_remote": False,
        }
        return json_stream(table_pieces(fields, file_slices(found, slice_size=FILES_A_SLICE), under="files"))


class VersionFile(APIView):
    """One file, verified by its SHA-256, which is its ETag.

    Raster images are shown in place, anything else is offered for saving. Answers 304 to a known ETag, and 206 with a
    part of the file. Of a large file that turns out to be damaged the last piece is missing: the connection is cut.
    """

    @describe(
        "getFile",
        "A file of a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=ANY_FILE,
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str, version: int, path: str) -> HttpResponseBase:
        found = chosen_version(request, name, version)
        entry = get_file(found, path)
        return verified_answer(request, open_file(found.artifact.place, version, entry), entry)


class VersionArchive(APIView):
    """A zip archive of all files, each verified. It is made while it is sent, so its size is not known before.

    If a file turns out to be damaged, the connection is cut, and what was sent is no archive.
    """

    @describe(
        "downloadVersion",
        "All files of a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=File((ZIP,), has_ranges=False),
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str, version: int) -> HttpResponseBase:
        found = chosen_version(request, name, version)
        answer = stream(zip_pieces(found.artifact.place, version, files_in(found)), content_type=ZIP)
        answer["Content-Disposition"] = str(content_disposition_header(True, f"{name}-v{version}.zip"))
        answer["Cache-Control"] = "no-store"  # a cut one must not be kept
        return answer
