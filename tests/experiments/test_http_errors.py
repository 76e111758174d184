"""Every error that is raised on purpose has its answer."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions

from experiments.http.errors import problem_from, server_error
from experiments.http.middleware import ProblemMiddleware
from experiments.http.rendering import encode
from runicorn import errors


def _all_errors(base: type[errors.RunicornError] = errors.RunicornError) -> Iterator[type[errors.RunicornError]]:
    yield base
    for subclass in base.__subclasses__():
        yield from _all_errors(subclass)


EXPECTED = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.InvalidInput: 400,
    errors.Denied: 403,
    errors.NotLoggedIn: 401,
    errors.DatabaseUnavailable: 503,
    errors.StorageDamaged: 500,
    errors.RunicornError: 500,
}


SENTENCE = "The alias 'v3' looks like a version; choose another name."


@pytest.mark.parametrize("error_class", list(_all_errors()))
def test_every_domain_error_has_a_status_its_message_and_its_code(error_class: type[errors.RunicornError]):
    problem = problem_from(error_class(SENTENCE))

    assert problem is not None
    nearest = next(base for base in error_class.__mro__ if base in EXPECTED)
    assert problem.status == EXPECTED[nearest]
    answer = problem.as_json()
    assert (answer["detail"], answer["error_code"]) == (SENTENCE, error_class.code)
    more = {"position", "expected"} if error_class is errors.InvalidFilter else set()
    assert answer.keys() == {"detail", "error_code"} | more


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Http404("secret path"), 404, "Not Found"),
        (PermissionDenied("why"), 403, "Forbidden"),
        (exceptions.MethodNotAllowed("PUT"), 405, "Method Not Allowed"),
        (exceptions.ParseError("Not JSON."), 400, "Not JSON."),
        (exceptions.UnsupportedMediaType("text/plain"), 400, 'Unsupported media type "text/plain" in request.'),
        (exceptions.ValidationError({"page": ["Too small.", "Odd."]}), 400, "page: Too small. page: Odd."),
        (exceptions.ValidationError({"a": {"b": ["Bad."]}, "non_field_errors": ["Both."]}), 400, "b: Bad. Both."),
        (exceptions.ValidationError(["One.", "Two."]), 400, "One. Two."),
    ],
)
def test_the_frameworks_errors_become_one_sentence(error: Exception, status: int, detail: str):
    problem = problem_from(error)

    assert problem is not None
    assert (problem.status, problem.detail) == (status, detail)


def test_a_bug_is_no_answer():
    request = RequestFactory().get("/runs")

    assert problem_from(ZeroDivisionError()) is None
    assert ProblemMiddleware(lambda request: None).process_exception(request, ZeroDivisionError()) is None


@pytest.mark.parametrize(("address", "kind"), [("/runs/x", "text/html"), ("/api/x", "application/json")])
def test_the_same_error_is_a_page_or_json_by_the_address(address: str, kind: str):
    request = RequestFactory().get(address)
    middleware = ProblemMiddleware(lambda request: None)

    answers = [middleware.process_exception(request, errors.RunNotFound("Run not found")), server_error(request)]

    assert [answer.status_code for answer in answers if answer] == [404, 500]
    assert all(answer and answer["Content-Type"].startswith(kind) for answer in answers)


@pytest.mark.parametrize(("address", "says"), [("/api/runs", '"error_code":"DATABASE_UNAVAILABLE"'), ("/runs", "<h1>")])
def test_a_database_that_does_not_answer_is_no_fault_of_the_viewer(address: str, says: str):
    request = RequestFactory().get(address)

    try:
        raise OperationalError("database is locked")
    except OperationalError:
        answer = server_error(request)

    assert answer.status_code == 503
    assert says in answer.content.decode()
    assert "try again in a moment" in answer.content.decode()


def test_values_that_orjson_refuses_are_written_all_the_same():
    value = {"big": 2**70, "half": "\ud83d", "numbers": [float("nan"), float("inf"), 1.5], "text": "实"}

    assert orjson.loads(encode(value).replace(b"\\ud83d", b"?")) == {
        "big": float(2**70),
        "half": "?",
        "numbers": [None, None, 1.5],
        "text": "实",
    }
