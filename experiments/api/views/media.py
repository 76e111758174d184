"""Images that runs logged."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import get_run_for
from experiments.api.describe import NOT_FOUND, File, describe
from experiments.api.schemas.run_documents import RunImages
from experiments.api.serializers import RunChoiceQuery
from experiments.http.files import INLINE_TYPES, media_response
from experiments.models import Media
from experiments.queries.media import run_media
from runicorn.storage import layout

MEDIA = File((*INLINE_TYPES.values(), "application/octet-stream"))


class RunMedia(APIView):
    """What the run logged, in log order."""

    @describe("listRunImages", "Images of a run", tag="Runs", query=RunChoiceQuery, answer=RunImages, errors=NOT_FOUND)
    def get(self, request: Request, run_id: str) -> Response:
        run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        choice = request.META["QUERY_STRING"]
        base = f"/api/runs/{quote(run_id, safe='')}/"
        return Response({"images": [_item(media, base=base, choice=choice) for media in run_media(run)]})


def _item(media: Media, *, base: str, choice: str) -> dict[str, object]:
    path = quote(media.path) if media.path.startswith(f"{layout.MEDIA_DIR}/") else None
    return {
        "key": media.key,
        "path": media.path,
        "step": media.step,
        "caption": media.caption,
        "ts": media.ts,
        # a path elsewhere comes from a file somebody wrote by hand, and is not served
        "url": None if path is None else f"{base}{path}" + (f"?{choice}" if choice else ""),
    }


class RunMediaFile(APIView):
    """Raster images are shown in place, anything else is offered for saving.

    Answers 304 to a known ETag, and 206 with a part of the file: a download that broke off goes on where it was.
    """

    @describe("getRunMedia", "A media file of a run", tag="Runs", query=RunChoiceQuery, answer=MEDIA, errors=NOT_FOUND)
    def get(self, request: Request, run_id: str, name: str) -> HttpResponseBase:
        run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        return media_response(request, run, name)
