"""The threads in which the web process uses its databases: borrowed one at a time, kept with their connections.

Django alone makes a thread for every request, and with it a new SQLite connection: see docs/design/0005-web-process.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections, connections

Result = TypeVar("Result")

#: Threads kept when nobody uses them; more than this many requests at once are rare.
MAX_IDLE_THREADS = 32


class ThreadPool:
    """Single threads to borrow, last returned first, so that a quiet server uses one warm thread."""

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[None]:
        """Inside, everything that asgiref calls thread-sensitive runs in one thread that nobody else uses."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            if len(self._idle) < MAX_IDLE_THREADS:
                self._idle.append(thread)
            else:
                thread.submit(connections.close_all)
                thread.shutdown(wait=False)


#: The one pool of this process.
request_threads = ThreadPool()


async def in_request_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """Run ``function``, which may use the databases, for code that no HTTP request surrounds (WebSockets)."""
    async with request_threads.borrow():
        return await sync_to_async(_and_let_go, thread_sensitive=True)(function, *arguments)


def _and_let_go(function: Callable[..., Result], *arguments: object) -> Result:
    """Call it, and give a pooled connection back as the end of a request would; one of SQLite stays open."""
    try:
        return function(*arguments)
    finally:
        close_old_connections()
