"""How a request reaches Django: through one thread, borrowed from a pool, with its database connection kept open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch

from experiments.http.threads import request_threads


class RequestHandler(ASGIHandler):
    """Django's ASGI handler, without a new thread and a new SQLite connection for every request.

    The whole synchronous part of a request (middleware and view) runs in one visit to its thread: with an asynchronous
    chain each of Django's own middlewares would go there and back twice. Answers are still sent by the event loop, so
    a streamed one uses its thread only while a piece is made.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """What the rate limits found already."""
        return request.resolver_match or super().resolve_request(request)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await sync_to_async(self._answer, thread_sensitive=True)(request)
        if request.method == "HEAD":
            _drop_body(response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        """A client that takes its answer slowly must not keep one of the pool's connections meanwhile."""
        try:
            return self.get_response(request)
        finally:
            close_old_connections()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with request_threads.borrow():
            await self.handle(scope, receive, send)


def _drop_body(response: HttpResponseBase) -> None:
    """daphne sends all but the first piece of a body even in answer to HEAD, which garbles the next answer."""
    if response.streaming:
        response.streaming_content = _nothing()
    else:
        response.content = b""


async def _nothing() -> AsyncIterator[bytes]:
    for piece in ():
        yield piece
