"""How Redis is asked while it may be gone; with a clock of the test and a Redis that is real."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError

from experiments.http import shared_counters
from experiments.http.shared_counters import RETRY_S, TIMEOUT_S, AskedServer, SharedCounters
from tests.components import redis_url
from tests.shared_redis import breakable_redis, delete_counters

OWN, SHARED = "own", "shared"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> AskedServer:
    return AskedServer(clock=clock)


def gone() -> NoReturn:
    raise RedisConnectionError("Connection refused.")


def there() -> str:
    return SHARED


def never() -> NoReturn:
    pytest.fail("Redis was asked")


def own() -> str:
    return OWN


def fine() -> None:
    """A trial that succeeds."""


def test_during_an_outage_redis_is_asked_once_in_a_while_and_by_one_request(server: AskedServer, clock: Clock):
    assert server.ask(gone, otherwise=own, trial=never) == OWN
    assert server.ask(never, otherwise=own, trial=never) == OWN
    clock.now += RETRY_S

    def trial_while_another_asks() -> None:
        assert server.ask(never, otherwise=own, trial=never) == OWN
        gone()

    assert server.ask(never, otherwise=own, trial=trial_while_another_asks) == OWN
    assert server.ask(never, otherwise=own, trial=never) == OWN


def test_an_outage_is_logged_once_and_so_is_its_end(
    server: AskedServer, clock: Clock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        server.ask(gone, otherwise=own, trial=gone)
        clock.now += RETRY_S

    assert server.ask(there, otherwise=own, trial=fine) == SHARED

    assert [record.getMessage() for record in caplog.records] == [
        "Redis (RUNICORN_REDIS_URL) does not answer: Connection refused. Until it does, this process counts requests "
        "and attempts to log in for itself.",
        "Redis answers again, after 9 s; the web processes count together.",
    ]


def test_an_answer_that_was_under_way_when_another_failed_ends_no_outage(server: AskedServer):
    def late() -> str:
        server.ask(gone, otherwise=own, trial=never)
        return SHARED

    assert server.ask(late, otherwise=own, trial=never) == SHARED
    assert server.ask(never, otherwise=own, trial=never) == OWN


@pytest.fixture
def prefix() -> Iterator[str]:
    prefix = f"runicorn:test-{uuid.uuid4().hex}"
    yield prefix
    delete_counters(prefix)


@pytest.fixture
def counters(prefix: str, monkeypatch: pytest.MonkeyPatch) -> SharedCounters:
    monkeypatch.setattr(shared_counters, "redis_server", AskedServer())
    return SharedCounters([redis_url()], {"KEY_PREFIX": prefix})


def test_a_counter_begins_counts_and_ends_with_its_time(counters: SharedCounters, prefix: str):
    assert counters.add("a", 1, 60) is True
    assert counters.add("a", 1, 60) is False
    assert (counters.incr("a"), counters.get("a"), counters.get("b", 0)) == (2, 2, 0)
    with pytest.raises(ValueError, match="not found"):
        counters.incr("b")
    with redis.Redis.from_url(redis_url()) as client:
        assert 50 < client.ttl(f"{prefix}:1:a") <= 60


def test_a_redis_that_hangs_holds_a_request_up_for_a_moment(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared_counters, "redis_server", AskedServer())
    with breakable_redis(tmp_path) as proxy:
        counters = SharedCounters([proxy.url], {"KEY_PREFIX": prefix})
        counters.add("a", 1, 60)
        proxy.hang()

        started = time.monotonic()
        assert counters.incr("a") == 1
        assert time.monotonic() - started < 2 * TIMEOUT_S


def test_a_redis_that_was_started_anew_is_no_outage(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared_counters, "redis_server", AskedServer())
    with breakable_redis(tmp_path) as proxy:
        counters = SharedCounters([proxy.url], {"KEY_PREFIX": prefix})
        counters.add("a", 1, 60)
        proxy.cut()
        proxy.restore()

        assert counters.incr("a") == 2


@pytest.fixture
def half_a_redis() -> Iterator[str]:
    """The address of a user who may begin a counter and not count."""
    name = f"half-{uuid.uuid4().hex}"
    parts = urlsplit(redis_url())
    with redis.Redis.from_url(redis_url()) as client:
        client.acl_setuser(name, enabled=True, nopass=True, keys=["runicorn:*"], commands=["+set", "+exists"])
        yield parts._replace(netloc=f"{name}:any@{parts.netloc.rpartition('@')[2]}").geturl()
        client.acl_deluser(name)


def test_one_that_answers_but_does_not_let_us_count_lets_nobody_through(
    half_a_redis: str, prefix: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared_counters, "redis_server", AskedServer(clock=clock))
    counters = SharedCounters([half_a_redis], {"KEY_PREFIX": prefix})

    counts = []
    for _ in range(4):
        counters.add("a", 0, 60)
        counts.append(counters.incr("a"))
        clock.now += RETRY_S

    assert counts == [1, 2, 3, 4]


def test_what_lies_in_redis_is_never_run_as_code(counters: SharedCounters, prefix: str, tmp_path):
    touch = f"cposix\nsystem\n(S'touch {tmp_path}/was-run'\ntR.".encode()
    with redis.Redis.from_url(redis_url()) as client:
        client.set(f"{prefix}:1:a", touch, ex=60)

    assert counters.get("a", 0) == 0

    assert not (tmp_path / "was-run").exists()


def test_it_is_no_cache_for_anything_else(counters: SharedCounters):
    with pytest.raises(NotImplementedError):
        counters.set("a", "text")
