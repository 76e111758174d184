"""Whether the Redis of RUNICORN_REDIS_URL can be used; asked at the start and by `runicorn doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from runicorn.cli.doctor.findings import Finding, error, ok
from runicorn.errors import InvalidInput
from runicorn_site import environment

#: A start may wait longer than a request.
TIMEOUT_S = 5.0
#: The counter of that trial is gone afterwards.
KEPT_S = 60
WAY_OUT = "Start it or correct RUNICORN_REDIS_URL; without that, one web process counts for itself."


class _Unusable(Exception):
    """The message says why."""


def require_redis(url: str) -> None:
    """Raises InvalidInput if nothing can be counted in Redis."""
    try:
        _count_to_one(url)
    except _Unusable as problem:
        raise InvalidInput(f"{problem} {WAY_OUT}") from problem


def redis_findings() -> Iterator[Finding]:
    """What `runicorn doctor` says; nothing where Redis is not used. Needs no settings of Django."""
    try:
        url = environment.redis_url()
    except ImproperlyConfigured as problem:
        yield error("Redis", str(problem), "Correct the variable, or unset it if there is one web process.")
        return
    if url is None:
        return
    try:
        version = _count_to_one(url)
    except _Unusable as problem:
        yield error("Redis", str(problem), WAY_OUT)
    else:
        yield ok("Redis", f"Version {version or 'unknown'} at {place_of(url)} counts for all web processes.")


def _count_to_one(url: str) -> str:
    """Gives the version of Redis, or an empty text if it does not tell. Raises _Unusable."""
    import redis  # not at the top: a quarter of a second that only those pay who use it

    with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
        try:
            # what counting needs: one that is full, or only a copy of another, would answer a PING, too
            client.set("runicorn:start", 0, ex=KEPT_S)
            client.incr("runicorn:start")
        except (redis.RedisError, OSError) as problem:
            raise _Unusable(f"The Redis at {place_of(url)} cannot be used: {str(problem).rstrip('.')}.") from problem
        try:
            return str(client.info("server").get("redis_version", ""))
        except redis.RedisError:  # its administrator may have forbidden INFO
            return ""


def place_of(url: str) -> str:
    """The host and port, or the socket: what may be shown of the address."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]
