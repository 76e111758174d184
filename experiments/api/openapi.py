"""The OpenAPI description of the API, made from what stands beside the views (``describe.py``).

Imported by the first request for it, since drf-spectacular takes a tenth of a second; made once, then kept.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from experiments.api.describe import Answer, Command, Description, File
from experiments.http.rendering import encode
from runicorn.rate_limits.model import DEFAULT_HEADERS

#: Errors that any request can get, whatever it asks for.
COMMON_ERRORS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
ERRORS = {
    HTTPStatus.BAD_REQUEST: "A parameter, the body or the Host header is not accepted; `detail` says why.",
    HTTPStatus.UNAUTHORIZED: "The token does not count, or there is none where others can reach the viewer.",
    HTTPStatus.FORBIDDEN: "A page of another origin may not change anything.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.CONFLICT: "Somebody else is changing it; trying again may work.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "None of these bytes exist; `Content-Range` has the size.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests; try again after `retry_after` seconds.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A bug, or a file that cannot be read; the server's log says more.",
}
#: On every answer, under names that the user's rate_limits.json may change; RETRY with 429 only.
STANDING = {
    DEFAULT_HEADERS.limit: "How many requests to this method and route are allowed in a window.",
    DEFAULT_HEADERS.remaining: "How many of them are left.",
    DEFAULT_HEADERS.reset: "Seconds until the window is over.",
}
RETRY = {"Retry-After": "Seconds to wait, as `retry_after` in the body."}
#: What a request for a file may say beside its query (RFC 9110).
RANGE = [
    OpenApiParameter(
        "Range", str, OpenApiParameter.HEADER, description="One range: `bytes=0-499`, `bytes=500-`, `bytes=-500`."
    ),
    OpenApiParameter(
        "If-Range", str, OpenApiParameter.HEADER, description="The `ETag` that the part at hand came with."
    ),
]
#: With a part of a file, and where there is none.
PLACES = {"Content-Range": "Which bytes of how many."}
#: In the order in which they are shown.
TAGS = {
    "Runs": "The plain list, one run, what it recorded.",
    "Projects": "What belongs together.",
    "Metrics": "Tables of what a run logged.",
    "Curation": "What people record about runs.",
    "Recycle bin": "Deleting, restoring, removing for ever.",
    "V2": "Filtered, sorted and reduced by the index.",
    "Artifacts": "Versions of models and data, their files, who made and who used them.",
    "Configuration": "What the server remembers for its users.",
    "System": "The server and its machine.",
}
ERROR = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"type": "string"},
        "error_code": {"type": "string"},
        "context": {"type": "object", "additionalProperties": {}},
        "retry_after": {"type": "integer", "description": "Seconds; only with 429."},
    },
}
TOKEN = {"type": "http", "scheme": "bearer", "description": "An API token, made on the page `/settings`."}
TEXT = """\
Reads answer with the documented body. Whatever changes or starts something answers with `ok`, `message` and its
fields, which `data` repeats. Errors answer with `detail`, always one sentence. Times are Unix seconds, sizes are bytes,
and values that are not finite are null. Requests are counted by client, method and route: 60 a minute, 100 for V2
queries, 5 for connecting to a server, 10 for deleting many runs, unless `runicorn rate-limit` says otherwise.

**WebSocket** `/api/runs/{run_id}/logs/ws` sends a run's log, one line a text frame: what is there, then what is added.
`?tail=N` begins with the last N lines. Nothing has to be sent; `ping` is answered with `pong`.
"""


class DescribedSchema(AutoSchema):
    """drf-spectacular's view of one operation, told by its Description instead of guessed."""

    @property
    def _described(self) -> Description:
        description: Description = getattr(self.view, self.method.lower()).description
        return description

    def get_operation_id(self) -> str:
        return self._described.operation_id

    def get_summary(self) -> str:
        return self._described.summary

    def get_description(self) -> str:
        return (super().get_description() or "").replace("``", "`")  # docstrings are no Markdown

    def get_tags(self) -> list[str]:
        return [self._described.tag]

    def is_deprecated(self) -> bool:
        return self._described.deprecated

    def get_auth(self) -> list[Any]:
        return []

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [self._described.query] if self._described.query else []
        return parameters + (RANGE if _has_ranges(self._described.answer) else [])

    def get_request_serializer(self) -> Any:
        return self._described.body

    def get_response_serializers(self) -> Any:
        return _responses(self._described.answer)

    def get_operation(self, *arguments: Any) -> Any:
        operation = super().get_operation(*arguments)
        own = () if self.method == "GET" else (HTTPStatus.FORBIDDEN,)
        for answer in operation["responses"].values():
            answer["headers"] = _reference_to_headers(STANDING)
        if _has_ranges(self._described.answer):
            own = (HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,)
            operation["responses"]["206"]["headers"] |= _reference_to_headers(PLACES)
        if getattr(self._described.answer, "allow_null", False):
            for content in operation["responses"]["200"]["content"].values():
                content["schema"] = {"oneOf": [content["schema"], {"type": "null"}]}
        for status in sorted({*COMMON_ERRORS, *own, *self._described.errors}):
            operation["responses"][str(status.value)] = {"$ref": f"#/components/responses/Error{status.value}"}
        return operation


def _has_ranges(answer: Answer) -> bool:
    return isinstance(answer, File) and answer.has_ranges


def _responses(answer: Answer) -> Any:
    if isinstance(answer, File):
        statuses = (HTTPStatus.OK.value, HTTPStatus.PARTIAL_CONTENT.value)[: 2 if answer.has_ranges else 1]
        return {(status, kind): OpenApiTypes.BINARY for status in statuses for kind in answer.media_types}
    return {200: _envelope(answer) if isinstance(answer, Command) else answer}


@functools.cache  # one component for all commands whose envelope says it all
def _envelope(command: Command) -> serializers.Serializer[Any]:
    fields: dict[str, Any] = {"ok": serializers.BooleanField(), "message": serializers.CharField()}
    if command.fields is None:
        return inline_serializer("Done", fields | {"data": serializers.DictField()})
    named = command.fields().fields.items()
    return inline_serializer(f"{command.fields.__name__}Answer", fields | dict(named) | {"data": command.fields()})


class FieldSchema(OpenApiSerializerFieldExtension):
    """Fields of ours that say themselves how they are written; drf-spectacular finds this class by its base."""

    target_class = "experiments.api.schemas.fields.Described"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self.target.json_schema
        return schema


class Generator(SchemaGenerator):
    """Adds what all operations share: the error shape, once, and the text about the whole."""

    def get_schema(self, *arguments: Any, **options: Any) -> Any:
        schema = super().get_schema(*arguments, **options)
        schema["info"]["description"] = TEXT
        schema["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        schema["components"]["schemas"]["Error"] = ERROR
        schema["components"]["securitySchemes"] = {"token": TOKEN}
        schema["security"] = [{}, {"token": []}]  # on loopback nobody needs one
        counts = {name: _header(text, type="integer", minimum=0) for name, text in {**STANDING, **RETRY}.items()}
        schema["components"]["headers"] = counts | {name: _header(text, type="string") for name, text in PLACES.items()}
        schema["components"]["responses"] = {
            f"Error{status.value}": _error(status, text) for status, text in ERRORS.items()
        }
        return schema


def _error(status: HTTPStatus, text: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    own = {HTTPStatus.TOO_MANY_REQUESTS: RETRY, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: PLACES}.get(status, {})
    return {"description": text, "headers": _reference_to_headers({**STANDING, **own}), "content": content}


def _header(text: str, **schema: Any) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": schema}


def _reference_to_headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


@functools.cache
def description() -> tuple[bytes, str]:
    """The description as JSON, and what tells one version of it from another."""
    text = encode(Generator().get_schema(request=None, public=True))
    return text, hashlib.sha256(text).hexdigest()[:32]
