"""Several web processes that count in one Redis, and what they do while it does not answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from experiments.accounts.throttle import ADDRESS_ATTEMPTS, WINDOW_S
from tests.command_line import RunningCommand, runicorn, running, wait_until
from tests.shared_redis import RedisProxy, breakable_redis, shared_redis

LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
#: A test has that much left of a window of 60 s, and of one of 300 s for attempts to log in.
ROOM_S = 30
LOGIN_ROOM_S = 20
#: What twenty requests may take that find out that Redis hangs, on a busy machine; each alone waited 0.5 s.
PATIENCE_S = 5.0
OUTAGE, RECOVERY = "does not answer", "answers again"
_numbers = count()


@contextmanager
def web_processes(folder: Path, url: str, *, count: int = 2, **variables: str) -> Iterator[list[RunningCommand]]:
    """Web processes of one index that count in the Redis at ``url``."""
    command = ("serve", "--port", "0", "--storage", "root")
    with ExitStack() as stack:
        started = [
            stack.enter_context(running(*command, folder=folder, RUNICORN_REDIS_URL=url, **variables))
            for _ in range(count)
        ]
        for web in started:
            web.wait_for("Storage root: ")
        yield started


@contextmanager
def client_of(web: RunningCommand) -> Iterator[httpx.Client]:
    """A client with an address of its own whose window does not end soon."""
    for number in _numbers:
        transport = httpx.HTTPTransport(local_address=f"127.0.2.{number + 1}", verify=False)
        with httpx.Client(timeout=30, transport=transport) as client:
            if int(client.options(f"{web.url}/api/any").headers[RESET]) >= ROOM_S:  # which is not counted
                yield client
                return


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def pair(home: Path) -> Iterator[list[RunningCommand]]:
    with shared_redis(home) as url, web_processes(home, url) as processes:
        yield processes


def ask(client: httpx.Client, web: RunningCommand) -> httpx.Response:
    return client.get(f"{web.url}/api/recycle-bin")


def test_two_web_processes_count_requests_together(pair: list[RunningCommand]):
    with client_of(pair[0]) as client:
        answers = [ask(client, web) for _ in range(31) for web in pair]

    assert [answer.status_code for answer in answers[:60]] == [200] * 60
    assert [int(answer.headers[REMAINING]) for answer in answers[:60]] == list(range(59, -1, -1))
    assert [answer.status_code for answer in answers[60:]] == [429, 429]


def test_both_see_a_change_of_the_limits(pair: list[RunningCommand], home: Path):
    change = ("--action", "set", "--endpoint", "/api/gpu", "--max-requests", "7")

    assert runicorn("rate-limit", *change, folder=home).returncode == 0

    for web in pair:
        wait_until(lambda web=web: httpx.get(f"{web.url}/api/gpu/telemetry").headers[LIMIT] == "7", web.describe)


def test_viewers_of_two_users_that_share_a_redis_do_not_count_together(pair: list[RunningCommand], tmp_path: Path):
    with (
        client_of(pair[0]) as client,
        shared_redis(tmp_path) as url,
        web_processes(tmp_path, url, count=1) as (of_another,),
    ):
        ask(client, pair[0])

        assert ask(client, of_another).headers[REMAINING] == "59"


def guess(web: RunningCommand, *, number: int) -> int:
    with httpx.Client(base_url=web.url, timeout=30) as browser:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/login").text)
        assert found is not None
        form = {"username": f"ana{number}", "password": "guess", "csrfmiddlewaretoken": found[1]}
        return browser.post("/login", data=form, headers={"Referer": web.url}).status_code


@contextmanager
def processes_with_login(folder: Path, url: str) -> Iterator[list[RunningCommand]]:
    with web_processes(folder, url, RUNICORN_ALLOWED_HOSTS="runs.lab.example") as processes:
        left = WINDOW_S - time.time() % WINDOW_S
        if left < LOGIN_ROOM_S:
            time.sleep(left)
        yield processes


def test_attempts_to_log_in_are_counted_over_all_web_processes(tmp_path):
    with shared_redis(tmp_path) as url, processes_with_login(tmp_path, url) as processes:
        answers = [guess(processes[number % 2], number=number) for number in range(ADDRESS_ATTEMPTS + 2)]

    assert answers == [200] * ADDRESS_ATTEMPTS + [429, 429]


def test_attempts_to_log_in_are_counted_while_redis_is_gone(tmp_path):
    with breakable_redis(tmp_path) as proxy, processes_with_login(tmp_path, proxy.url) as (first, second):
        proxy.cut()

        answers = [guess(first, number=number) for number in range(ADDRESS_ATTEMPTS + 1)]
        elsewhere = guess(second, number=0)

    assert answers[-1] == 429
    assert set(answers[:-1]) == {200}
    assert elsewhere == 200


def break_by_cut(proxy: RedisProxy) -> None:
    proxy.cut()


def break_by_hanging(proxy: RedisProxy) -> None:
    proxy.hang()


def test_requests_use_the_connections_of_those_before(tmp_path):
    with (
        breakable_redis(tmp_path) as proxy,
        web_processes(tmp_path, proxy.url, count=1) as (web,),
        client_of(web) as client,
    ):
        ask(client, web)
        before = proxy.accepted

        for _ in range(20):
            ask(client, web)

        assert proxy.accepted == before


@pytest.mark.parametrize("break_it", [break_by_cut, break_by_hanging])
def test_while_redis_is_gone_requests_are_answered_and_afterwards_counted_together_again(tmp_path, break_it):
    with breakable_redis(tmp_path) as proxy, web_processes(tmp_path, proxy.url) as pair, client_of(pair[0]) as client:
        ask(client, pair[0])
        break_it(proxy)

        started = time.monotonic()
        answers = [ask(client, web) for _ in range(10) for web in pair]
        assert {answer.status_code for answer in answers} == {200}
        assert time.monotonic() - started < PATIENCE_S
        assert [web.output.count(OUTAGE) for web in pair] == [1, 1]

        proxy.restore() if break_it is break_by_cut else proxy.go_on()
        for web in pair:
            wait_until(lambda web=web: ask(client, web) and RECOVERY in web.output, web.describe)
        with client_of(pair[0]) as another:
            assert [int(ask(another, web).headers[REMAINING]) for web in pair] == [59, 58]
        assert "Traceback" not in pair[0].output + pair[1].output


def test_each_process_holds_the_limits_by_itself_while_redis_is_gone(tmp_path):
    with (
        breakable_redis(tmp_path) as proxy,
        web_processes(tmp_path, proxy.url, count=1) as (web,),
        client_of(web) as client,
    ):
        proxy.cut()

        answers = [ask(client, web).status_code for _ in range(61)]

    assert answers == [200] * 60 + [429]


def test_a_redis_that_does_not_answer_at_the_start_is_said_without_its_password(tmp_path):
    with breakable_redis(tmp_path) as proxy:
        proxy.cut()
        url = proxy.url.replace("redis://", "redis://ana:geheim@") if "@" not in proxy.url else proxy.url

        done = runicorn("serve", "--port", "0", folder=tmp_path, RUNICORN_REDIS_URL=url)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: The Redis at 127.0.0.1:")
    assert "Start it or correct RUNICORN_REDIS_URL" in done.stderr
    assert "geheim" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
