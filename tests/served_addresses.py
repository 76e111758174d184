"""What the URL configuration serves below /api, written as documents write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.schemas.generators import EndpointEnumerator

from experiments.api.views.system import unknown_endpoint
from experiments.routing import websocket_urlpatterns

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def served_operations() -> Iterator[tuple[str, str]]:
    """Method and path, as ``("GET", "/api/runs/{run_id}")``."""
    for path, pattern in _patterns(get_resolver().url_patterns, "/"):
        if path.startswith("/api") and pattern.callback is not unknown_endpoint:
            for method in METHODS:
                if hasattr(pattern.callback.view_class, method.lower()):
                    yield method, path


def served_sockets() -> list[str]:
    """Paths of the WebSockets that are the API's, not the pages' own."""
    paths = [f"/{pattern.pattern}".replace("<str:", "{").replace(">", "}") for pattern in websocket_urlpatterns]
    return [path for path in paths if path.startswith("/api/")]


def _patterns(patterns: Any, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, route)
        else:
            yield EndpointEnumerator().get_path_from_regex(route), pattern
