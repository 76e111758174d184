"""How an endpoint is described, beside its view. ``openapi.py`` reads it when somebody asks for the description.

Nothing of drf-spectacular is imported here, so that describing costs the start of the web process nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from rest_framework.serializers import BaseSerializer

#: For ``errors=`` of what is named by its address.
NOT_FOUND = (HTTPStatus.NOT_FOUND,)

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Command:
    """The answer of a request that changed something: ``ok``, ``message``, the fields, and the fields under ``data``.

    fields: a serializer class; None for a command whose envelope says it all.
    """

    fields: type[BaseSerializer[Any]] | None = None


@dataclass(frozen=True)
class File:
    """An answer of bytes in one of these media types, or of the range of them that was asked for.

    has_ranges: False for what is made while it is sent.
    """

    media_types: tuple[str, ...]
    has_ranges: bool = True


#: A serializer class, an instance of one with ``many=True``, a command's envelope, or a file.
Answer = type[BaseSerializer[Any]] | BaseSerializer[Any] | Command | File


@dataclass(frozen=True)
class Description:
    """One operation. query, body: serializers of what the request says. errors: beside those that any request gets."""

    operation_id: str
    summary: str
    tag: str
    answer: Answer
    query: type[BaseSerializer[Any]] | None = None
    body: type[BaseSerializer[Any]] | None = None
    errors: tuple[HTTPStatus, ...] = ()
    deprecated: bool = False


def describe(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    answer: Answer,
    query: type[BaseSerializer[Any]] | None = None,
    body: type[BaseSerializer[Any]] | None = None,
    errors: tuple[HTTPStatus, ...] = (),
    deprecated: bool = False,
) -> Callable[[Method], Method]:
    """Describe a view's method. What follows from the view's docstring and its path need not be said."""
    description = Description(operation_id, summary, tag, answer, query, body, errors, deprecated)

    def decorate(method: Method) -> Method:
        method.description = description  # type: ignore[attr-defined]
        return method

    return decorate
