"""The API's description, and two programs that show it to people. All of it comes from the viewer itself."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, quote_etag
from django.views.decorators.http import require_safe

#: Swagger UI's and Redoc's small pictures. Scripts stay as strict as on our pages.
_PICTURES = {"img-src": [SELF, "data:"]}
#: Redoc makes style elements of its own, and searches in a worker that it writes itself.
_REDOC = _PICTURES | {"style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]}


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    """Made by the first request, then kept. Imports drf-spectacular late: it takes a tenth of a second."""
    from experiments.api.openapi import description

    text, etag = description()
    response = HttpResponse(text, content_type="application/json", headers={"ETag": quote_etag(etag)})
    response["Access-Control-Allow-Origin"] = "*"  # as the API that it describes
    return get_conditional_response(request, etag=response["ETag"], response=response)


@require_safe
@csp_replace(_PICTURES)
def swagger_ui(request: HttpRequest) -> HttpResponse:
    return render(request, "api_docs/swagger.html")


@require_safe
@csp_replace(_REDOC)
def redoc(request: HttpRequest) -> HttpResponse:
    return render(request, "api_docs/redoc.html")
