"""JSON in and out of the API: orjson, with a slower way for the few values it refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

CONTENT_TYPE = "application/json"


def encode(value: Any) -> bytes:
    """``value`` as JSON in UTF-8; NaN and infinities become null.

    Integers beyond 64 bits and lone surrogates, which a run's own files may hold, are written as Python's json does.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(_finite(value), allow_nan=False).encode("ascii")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def json_response(value: Any, *, status: int = 200) -> HttpResponse:
    """An answer outside DRF: middleware and Django's error handlers."""
    return HttpResponse(encode(value), status=status, content_type=CONTENT_TYPE)


class OrjsonRenderer(BaseRenderer):
    media_type = CONTENT_TYPE
    format = "json"
    charset = None  # JSON is UTF-8 by definition; a charset parameter has no meaning

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return encode(data)


class OrjsonParser(BaseParser):
    media_type = CONTENT_TYPE

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        text = stream.read()
        try:
            # refuses nesting beyond 1,024 levels, where the standard parser overflows the stack
            return orjson.loads(text) if text.strip() else {}
        except ValueError as error:
            raise ParseError(f"The request body is not valid JSON: {error}.") from error


class AlwaysJson(BaseContentNegotiation):
    """The API has one representation, whatever a client's Accept header or ``?format=`` says."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        content_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: HttpRequest, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
