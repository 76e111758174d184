"""What holds for every answer of the API, domain errors on pages, and cookies over TLS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from experiments.http.errors import problem_from, problem_response, wants_json
from experiments.http.limits.in_force import limits_in_force
from experiments.http.origins import origin_may_read
from runicorn.errors import RunicornError

GetResponse = Callable[[HttpRequest], HttpResponse]

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "600",
}

#: What a foreign page may read beside what it always may.
_EXPOSED = ("Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Retry-After")


class ApiHeadersMiddleware:
    """What tells browsers which origins may read an answer of the API: any, unless the settings name some.

    Stands outside of all that refuses requests: a program on a foreign page is to learn why it was refused.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if wants_json(request):
            _allow_origin(request, response)
            exposed = (*_EXPOSED, *limits_in_force.now().headers)
            response["Access-Control-Expose-Headers"] = ", ".join(exposed)
        return response


def _allow_origin(request: HttpRequest, response: HttpResponse) -> None:
    """Never with credentials: what a foreign page may read is what a stranger may, or what its token may."""
    if settings.RUNICORN_ALLOWED_ORIGINS is None:
        response["Access-Control-Allow-Origin"] = "*"
        return
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin")
    with suppress(DisallowedHost):
        if origin is not None and origin_may_read(origin, host=request.get_host()):
            response["Access-Control-Allow-Origin"] = origin


class ApiMiddleware:
    """Refuses the API to hosts that we are not, and answers the preflights of browsers.

    What may be changed, and by whom, AccessMiddleware decides.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not wants_json(request):
            return self._get_response(request)
        request.get_host()  # raises DisallowedHost
        if request.method == "OPTIONS":
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)
        return self._get_response(request)


class SecureCookies:
    """Cookies given out over TLS are not sent without it. Whether it is TLS, a trusted proxy in front of us says."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class ProblemMiddleware:
    """Turns a domain error of a page's view into its page; the API's views have DRF's hook for that."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RunicornError):
            return None  # a bug, not an answer: Django logs it and replies 500
        problem = problem_from(exception)
        assert problem is not None  # every RunicornError has one
        return problem_response(request, problem)
