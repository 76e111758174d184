"""Images that runs logged."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import get_run_for
from experiments.api.serializers import RunChoiceQuery
from experiments.http.files import media_response
from experiments.models import Media
from experiments.queries.media import run_media
from runicorn.storage import layout


class RunMedia(APIView):
    """What the run logged, in log order."""

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
    def get(self, request: Request, run_id: str, name: str) -> HttpResponseBase:
        run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        return media_response(request, run, name)
