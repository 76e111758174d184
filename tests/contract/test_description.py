"""The OpenAPI description as a document: complete, valid, and read without surprises."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from experiments.api.openapi import TAGS, Generator, description
from runicorn_site import settings
from tests.served_addresses import served_operations, served_sockets


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(description()[0])
    return loaded


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_valid_openapi(document: dict[str, Any]):
    validate_schema(document)

    assert document["openapi"] == "3.1.0"


def test_making_it_raises_no_warning(capsys: pytest.CaptureFixture[str]):
    Generator().get_schema(request=None, public=True)

    assert not GENERATOR_STATS, capsys.readouterr().err


def test_every_address_below_api_is_described_and_every_description_has_its_address(document: dict[str, Any]):
    described = {(method.upper(), path) for path, method, _ in operations(document)}

    served = set(served_operations())

    assert len(served) > 10
    assert described == served


def test_operations_have_a_name_of_their_own_a_summary_and_a_known_tag(document: dict[str, Any]):
    all_of_them = [operation for _, _, operation in operations(document)]

    assert len({operation["operationId"] for operation in all_of_them}) == len(all_of_them)
    assert all(operation["operationId"].isalnum() and operation["summary"] for operation in all_of_them)
    assert {tag for operation in all_of_them for tag in operation["tags"]} == set(TAGS)


def test_the_sockets_of_the_api_are_described_in_its_text(document: dict[str, Any]):
    assert [path for path in served_sockets() if path not in document["info"]["description"]] == []


def test_the_start_of_the_web_process_does_not_pay_for_it():
    code = (
        "import sys\n"
        "import runicorn_site.asgi\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('drf_spectacular', 'jsonschema')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
    assert "drf_spectacular" not in settings.INSTALLED_APPS


def test_every_answer_is_described_with_the_headers_of_the_rate_limits(document: dict[str, Any]):
    standing = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    own = {"429": {"Retry-After"}, "206": {"Content-Range"}, "416": {"Content-Range"}}
    shared = document["components"]["responses"]

    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            headers = set(shared[answer["$ref"].rsplit("/")[-1]]["headers"] if "$ref" in answer else answer["headers"])
            assert headers == standing | own.get(status, set()), (path, method, status)
