"""What holds for every answer of the API, and domain errors on pages."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from experiments.http.errors import Problem, problem_from, problem_response, wants_json
from experiments.http.origins import is_foreign
from runicorn.errors import RunicornError

GetResponse = Callable[[HttpRequest], HttpResponse]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


class ApiMiddleware:
    """Any origin may read the API, none but our own may change something through it.

    There is no login on loopback, so without the second half every page the user opens could delete runs.
    Programs (curl, the Python client) send no Origin and are not affected.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not wants_json(request):
            return self._get_response(request)
        response = self._answer(request)
        response["Access-Control-Allow-Origin"] = "*"  # and never with credentials
        response["Access-Control-Expose-Headers"] = "Content-Disposition, Retry-After"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        host = request.get_host()  # raises DisallowedHost
        if request.method == "OPTIONS":
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)
        foreign = is_foreign(
            origin=request.headers.get("Origin"), fetch_site=request.headers.get("Sec-Fetch-Site"), host=host
        )
        if foreign and request.method not in SAFE_METHODS:
            detail = "A page of another origin may not change anything here; use the viewer's own pages or a program."
            return problem_response(request, Problem(HTTPStatus.FORBIDDEN, detail))
        return self._get_response(request)


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
