"""Counters that all web processes share, in Redis, and what happens while Redis does not answer.

A request never fails, and hardly waits, because of Redis: meanwhile each process counts for itself.
docs/design/0011-rate-limits.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import DataError, RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: A request waits that long for Redis at most. Both take well under a millisecond in one machine room.
TIMEOUT_S = 0.5
#: How often Redis is tried while it does not answer, by one request; the others do not wait for it.
RETRY_S = 3.0
#: How long the counter is kept by which that is found out.
TRIAL_S = 60
#: Counters of this process meanwhile; the least recently used go first.
MAX_ENTRIES = 100_000


class SharedCounters(BaseCache):
    """A cache for whole numbers that are counted up; it knows no other operation than these three."""

    def __init__(self, servers: Sequence[str], params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = _redis_cache(tuple(servers), self.key_prefix)
        self._own = LocMemCache(self.key_prefix, {**params, "OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def add(self, key: str, value: int, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._either(lambda cache: cache.add(key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._either(lambda cache: cache.get(key, default, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError if there is no such counter, as all caches of Django do."""

        def count_here() -> int:
            self._own.add(key, 0, version=version)  # it may have begun in Redis
            return int(self._own.incr(key, delta, version))

        return redis_server.ask(
            lambda: self._shared.incr(key, delta, version), otherwise=count_here, trial=self._try_to_count
        )

    def _either(self, operation: Callable[[BaseCache], T]) -> T:
        return redis_server.ask(
            lambda: operation(self._shared), otherwise=lambda: operation(self._own), trial=self._try_to_count
        )

    def _try_to_count(self) -> None:
        """All that counting needs: a Redis that is full or only a copy of another still answers other questions."""
        self._shared.add("trial", 0, TRIAL_S)
        with suppress(ValueError):  # just over
            self._shared.incr("trial")


class AskedServer:
    """Asks a server that may be gone, without letting each request find that out by waiting."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._gone_since: float | None = None
        self._ask_at = 0.0

    def ask(self, question: Callable[[], T], *, otherwise: Callable[[], T], trial: Callable[[], None]) -> T:
        """The server's answer, or ``otherwise`` while it gives none. An outage is logged once, and so is its end.

        trial: what must succeed before an outage is over.
        """
        try:
            if self._gone_since is not None:
                if not self._is_my_turn():
                    return otherwise()
                trial()
                self._note_end()
            return question()
        except (RedisError, OSError) as error:
            self._note_silence(error)
            return otherwise()

    def _is_my_turn(self) -> bool:
        with self._lock:
            now = self._clock()
            if now < self._ask_at:
                return False
            self._ask_at = now + RETRY_S
            return True

    def _note_silence(self, error: Exception) -> None:
        with self._lock:
            is_first = self._gone_since is None
            now = self._clock()
            if is_first:
                self._gone_since = now
            self._ask_at = now + RETRY_S
        if is_first:
            logger.warning(
                "Redis (RUNICORN_REDIS_URL) does not answer: %s Until it does, this process counts requests and "
                "attempts to log in for itself.",
                str(error).rstrip(".") + ".",
            )

    def _note_end(self) -> None:
        with self._lock:
            since, self._gone_since = self._gone_since, None
        if since is not None:
            logger.warning(
                "Redis answers again, after %.0f s; the web processes count together.", self._clock() - since
            )


class WholeNumbers:
    """How values lie in Redis. Django's own way would run code that somebody else had put there (pickle)."""

    def dumps(self, value: int) -> int:
        return value

    def loads(self, stored: bytes) -> int:
        try:
            return int(stored)
        except ValueError as error:
            raise DataError("A counter holds something else than a number.") from error


@lru_cache
def _redis_cache(servers: tuple[str, ...], key_prefix: str) -> RedisCache:
    """One for the process: Django makes its caches anew for each request, and each would open a connection."""
    options = {
        "serializer": WholeNumbers,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
    }
    return RedisCache(list(servers), {"KEY_PREFIX": key_prefix, "OPTIONS": options})


#: The one of this process: all counters lie in the same Redis.
redis_server = AskedServer()
