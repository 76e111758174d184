"""Compares answers of a real server with the OpenAPI description, strictly: no field more than it says, none less."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
from django.urls import Resolver404, resolve
from jsonschema import Draft202012Validator
from rest_framework.schemas.generators import EndpointEnumerator

from experiments.api.openapi import description

ERROR = {"$ref": "#/components/schemas/Error"}
#: Answers that say only that there is nothing to say.
BODILESS = {204, 304}
#: Answers of what lies around all operations.
NO_OPERATION = {400, 401, 403, 404, 405, 429}


@cache
def document() -> dict[str, Any]:
    """The description, with every object closed that names its fields."""
    closed = json.loads(description()[0])
    _close(closed["components"]["schemas"])
    return closed


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By operationId: method, path and operation."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers, or None for an address or method that the description does not have."""
    try:
        route = resolve(unquote(path)).route
    except Resolver404:
        return None
    template = EndpointEnumerator().get_path_from_regex(route)
    found: dict[str, Any] | None = document()["paths"].get(template, {}).get(method.lower())
    return found


def check(answer: httpx.Response) -> None:
    """Also an httpx hook. Fails where an answer of the API is not what the description says."""
    request = answer.request
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    if not path.startswith("/api/") or request.method in ("OPTIONS", "HEAD"):
        return
    content, media_type = answer.read(), answer.headers.get("Content-Type", "")
    problems = disagreements(find_operation(request.method, path), answer.status_code, media_type, content)
    assert not problems, f"{request.method} {request.url} answered {answer.status_code}: {problems}"


def disagreements(operation: dict[str, Any] | None, status: int, content_type: str, content: bytes) -> list[str]:
    """What the answer holds that the description of its operation does not allow."""
    media_type = content_type.partition(";")[0]
    if status in BODILESS:
        return [] if not content else ["a body where there should be none"]
    if operation is None:
        described = {"content": {"application/json": {"schema": ERROR}}} if status in NO_OPERATION else None
    else:
        described = _followed(operation["responses"].get(str(status)))
    if described is None:
        return [f"status {status} is not described"]
    if media_type not in described["content"]:
        return [f"{media_type!r} is not described"]
    if media_type != "application/json":
        return []
    schema = {**described["content"][media_type]["schema"], "components": document()["components"]}
    errors = Draft202012Validator(schema).iter_errors(json.loads(content))
    return [f"{error.json_path}: {error.message[:300]}" for error in errors]


def _followed(response: dict[str, Any] | None) -> dict[str, Any] | None:
    if response is None or "$ref" not in response:
        return copy.copy(response)
    found: dict[str, Any] = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found
