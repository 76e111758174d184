"""One function turns an error into its answer; the API and the pages both call it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response

from experiments.database_errors import is_unavailable
from experiments.http.rendering import json_response
from runicorn.errors import (
    Conflict,
    DatabaseUnavailable,
    Denied,
    InvalidFilter,
    InvalidInput,
    NotFound,
    NotLoggedIn,
    RunicornError,
    StorageDamaged,
)

#: The nearest base class wins.
STATUS: dict[type[RunicornError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    InvalidInput: HTTPStatus.BAD_REQUEST,
    Denied: HTTPStatus.FORBIDDEN,
    NotLoggedIn: HTTPStatus.UNAUTHORIZED,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageDamaged: HTTPStatus.INTERNAL_SERVER_ERROR,
    RunicornError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
#: Refusals of the framework whose status the reference does not know, and what it gives instead.
_FRAMEWORK_STATUS = {
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_ACCEPTABLE: HTTPStatus.BAD_REQUEST,
}


@dataclass(frozen=True)
class Problem:
    """What a caller is told: a status, one sentence, and the error's stable code (None for the framework's own).

    more: what else the JSON answer says of it.
    """

    status: HTTPStatus
    detail: str
    code: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"detail": self.detail} | ({"error_code": self.code} if self.code else {}) | dict(self.more)


def problem_from(error: Exception) -> Problem | None:
    """The answer to an error that was raised on purpose, or None for a bug, which Django logs and answers with 500."""
    if isinstance(error, RunicornError):
        base = next(cls for cls in type(error).__mro__ if cls in STATUS)
        place = {"position": error.position, "expected": error.expected} if isinstance(error, InvalidFilter) else {}
        return Problem(STATUS[base], str(error), error.code, place)
    if isinstance(error, (Http404, exceptions.NotFound)):
        return Problem(HTTPStatus.NOT_FOUND, "Not Found")
    if isinstance(error, PermissionDenied):
        return Problem(HTTPStatus.FORBIDDEN, "Forbidden")
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
    if isinstance(error, exceptions.APIException):
        status = HTTPStatus(error.status_code)
        return Problem(_FRAMEWORK_STATUS.get(status, status), sentence(error.detail))
    return None


def sentence(detail: object, field: str = "") -> str:
    """One string for DRF's nested lists and dictionaries of messages, each led by its field's name."""
    if isinstance(detail, Mapping):
        own = "non_field_errors"
        return " ".join(sentence(value, field if key == own else str(key)) for key, value in detail.items())
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return " ".join(sentence(value, field) for value in detail if value)
    return f"{field}: {detail}" if field else str(detail)


def drf_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: the answer in the one error shape, or None to let Django log the error and call ``server_error``."""
    problem = problem_from(error)
    if problem is None:
        return None
    headers = {}
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(problem.as_json(), status=problem.status, headers=headers)


def wants_json(request: HttpRequest) -> bool:
    """Whether the request was for the API; unknown paths below /api never fall through to a page."""
    return request.path == "/api" or request.path.startswith("/api/")


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as the API's error shape or as a page, whichever was asked for (also by the script of a page)."""
    if wants_json(request) or request.headers.get("Accept") == "application/json":
        response = json_response(problem.as_json(), status=problem.status)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            response["WWW-Authenticate"] = 'Bearer realm="runicorn"'
        return response
    return render(request, "errors/problem.html", {"problem": problem}, status=problem.status)


# Django's handlers (named in runicorn_site/urls.py); it has logged the error before it calls them.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A Host header that is not ours, a malformed or too large request."""
    return json_response(
        {"detail": "Bad Request: the host name or the request itself is not accepted here."}, status=400
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, Problem(HTTPStatus.FORBIDDEN, "Forbidden"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or that another page sent."""
    detail = "This form is no longer valid. Go back, load its page again, and send it once more."
    return problem_response(request, Problem(HTTPStatus.FORBIDDEN, detail))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, Problem(HTTPStatus.NOT_FOUND, "Not Found"))


def server_error(request: HttpRequest) -> HttpResponse:
    if is_unavailable(sys.exc_info()[1]):
        away = DatabaseUnavailable("The database does not answer or is busy; try again in a moment.")
        problem = problem_from(away)
        assert problem is not None
        request.user = AnonymousUser()  # who asks is in the database
        return problem_response(request, problem)
    return problem_response(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error: see the log."))
