"""The threads in which the web process uses its databases: borrowed, kept with their connections, and renewed when the
index is replaced under them (``runicorn reindex``)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections

from experiments.metrics.arrays import clear_cache

Result = TypeVar("Result")

#: Threads kept when nobody uses them; more than this many requests at once are rare.
MAX_IDLE_THREADS = 32


@dataclass(frozen=True)
class _Worker:
    executor: ThreadPoolExecutor
    #: Device and inode of the index when the thread began.
    index_identity: tuple[int, int] | None


class ThreadPool:
    """Single threads to borrow, last returned first, so that a quiet server uses one warm thread."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[None]:
        """Inside, everything that asgiref calls thread-sensitive runs in one thread that nobody else uses."""
        worker = self._take()
        try:
            async with ThreadSensitiveContext(executor=worker.executor):
                yield
        finally:
            if len(self._idle) < MAX_IDLE_THREADS:
                self._idle.append(worker)
            else:
                _retire(worker)

    def _take(self) -> _Worker:
        identity = index_identity()
        while self._idle:
            worker = self._idle.pop()
            if worker.index_identity == identity:
                return worker
            _retire(worker)
            clear_cache()  # its keys begin again in the new index
        return _Worker(ThreadPoolExecutor(max_workers=1, thread_name_prefix="request"), identity)


#: The one pool of this process.
request_threads = ThreadPool()


async def in_request_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """Run ``function``, which may use the databases, for code that no HTTP request surrounds (WebSockets)."""
    async with request_threads.borrow():
        return await sync_to_async(function, thread_sensitive=True)(*arguments)


def index_identity() -> tuple[int, int] | None:
    """Device and inode of the index database; None while there is none."""
    try:
        status = os.stat(connections.settings["index"]["NAME"])
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _retire(worker: _Worker) -> None:
    worker.executor.submit(connections.close_all)
    worker.executor.shutdown(wait=False)
