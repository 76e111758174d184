"""Who may send how much to the API: the limits that are built in, and those of the user's file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.core.cache import caches
from django.http import HttpResponse
from django.test import RequestFactory

from experiments.http.limits.in_force import LOOK_INTERVAL_S
from experiments.http.limits.middleware import RateLimitMiddleware
from tests.server import ViewerServer, running_server, write_limits

#: A test begins with that much left of the window of 60 s, in which all it counts must happen.
ROOM_S = 30
LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
NAMES = ("RateLimit-Limit", "RateLimit-Remaining", LIMIT, REMAINING, RESET)
Put = Callable[..., int]
_addresses = count(1)
#: Defaults by which a test sees that its file is in force.
_numbers = count(1001)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("limits"), limits=None) as server:
        yield server


@pytest.fixture
def client(server: ViewerServer) -> Iterator[httpx.Client]:
    """A client with an address of its own, for which nothing was counted yet and whose window does not end soon.

    Each address has windows that begin at a second of its own, so there is always one to find, without waiting for it.
    """
    for number in _addresses:
        address = f"127.0.{number // 250 + 1}.{number % 250 + 1}"
        transport = httpx.HTTPTransport(local_address=address, verify=False)  # reading the certificates takes time
        with httpx.Client(base_url=server.url, timeout=30, transport=transport) as client:
            if int(client.options("/api/any").headers[RESET]) >= ROOM_S:  # which is not counted
                yield client
                return


@pytest.fixture
def api(client: httpx.Client) -> httpx.Client:
    """The client, and the built-in limits in force: a file of the test before may still be."""
    wait_for(lambda: client.options("/api/any").headers.get(LIMIT) == "60")
    return client


@pytest.fixture
def put(server: ViewerServer, client: httpx.Client) -> Iterator[Put]:
    """Writes a rate_limits.json, waits until it is in force and gives its default; there is none afterwards."""

    def write(*, header: str = LIMIT, **limits: Any) -> int:
        number = next(_numbers)
        write_limits(server.storage.parent / "config", {"default": {"max_requests": number}, **limits})
        wait_for(lambda: client.options("/api/any").headers.get(header) == str(number))
        return number

    yield write
    limits_file(server).unlink()


def limits_file(server: ViewerServer) -> Path:
    return server.storage.parent / "config" / "runicorn" / "rate_limits.json"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the file did not come into force"
        time.sleep(0.02)


CLASSES = [
    ("GET", "/api/recycle-bin", 60),
    ("POST", "/api/v2/nope", 60),
    ("GET", "/api/v2/experiments", 100),
    ("GET", "/api/v2/experiments/x/metrics/fast", 100),
    ("POST", "/api/v2/metrics/query", 100),
    ("POST", "/api/unified/connect", 5),
    ("POST", "/api/ssh/connect", 5),
    ("POST", "/api/remote/connect", 5),
    ("POST", "/api/v2/experiments/batch-delete", 10),
    ("POST", "/api/runs/soft-delete", 10),
    ("DELETE", "/api/experiments/delete", 10),
    ("POST", "/api/recycle-bin/empty", 5),
    ("GET", "/api/unified/listdir", 30),
    ("POST", "/api/unified/configure_mode", 10),
    ("POST", "/api/config/user_root_dir", 10),
    ("POST", "/api/config/ssh_connections", 20),
    ("DELETE", "/api/config/ssh_connections/a@b:22@a", 20),
    ("GET", "/api/config/ssh_connections", 60),
]


@pytest.mark.parametrize(("method", "path", "limit"), CLASSES)
def test_the_request_after_the_last_one_allowed_is_refused(api: httpx.Client, method: str, path: str, limit: int):
    allowed = [api.request(method, path) for _ in range(limit)]
    refused = api.request(method, path)

    assert {answer.status_code for answer in allowed} & {429, 500} == set()
    assert [int(answer.headers[REMAINING]) for answer in allowed] == list(range(limit - 1, -1, -1))
    retry_after = refused.json()["retry_after"]
    assert (refused.status_code, refused.json()["detail"]) == (429, "Rate limit exceeded")
    assert 1 <= retry_after <= 60
    assert refused.headers["Retry-After"] == refused.headers[RESET] == str(retry_after)
    assert (refused.headers[LIMIT], refused.headers[REMAINING]) == (str(limit), "0")
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


ANSWERS = [
    (200, "GET", "/api/health", {}),
    (204, "OPTIONS", "/api/health", {}),
    (400, "GET", "/api/v2/experiments?page=x", {}),
    (400, "GET", "/api/health", {"Host": "elsewhere.example"}),
    (403, "POST", "/api/status/check", {"Origin": "https://elsewhere.example"}),
    (404, "GET", "/api/runs/nope", {}),
    (404, "GET", "/api/nope", {}),
    (404, "GET", "/api", {}),
    (405, "DELETE", "/api/runs", {}),
]


@pytest.mark.parametrize(("status", "method", "path", "headers"), ANSWERS)
def test_every_answer_says_where_the_client_stands(
    api: httpx.Client, status: int, method: str, path: str, headers: dict[str, str]
):
    answer = api.request(method, path, headers=headers)

    assert answer.status_code == status
    assert int(answer.headers[REMAINING]) <= int(answer.headers[LIMIT])
    assert 1 <= int(answer.headers[RESET]) <= 60
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {LIMIT, REMAINING, RESET, "Retry-After", "Content-Disposition"} <= set(exposed)


def test_preflights_and_pages_are_not_counted(api: httpx.Client):
    for _ in range(65):
        assert api.options("/api/runs").headers[REMAINING] == "60"
    pages = [api.get("/runs") for _ in range(65)]

    assert {page.status_code for page in pages} == {200}
    assert LIMIT not in pages[0].headers


def test_a_route_is_counted_with_all_its_ids_and_unknown_paths_as_one(api: httpx.Client):
    by_route = [api.get(f"/api/runs/x{number}/progress").status_code for number in range(61)]
    unknown = [api.put(f"/api/nope/{number}").status_code for number in range(61)]

    assert (by_route[-2:], unknown[-2:]) == ([404, 429], [404, 429])


def test_methods_are_counted_apart_but_head_with_get(api: httpx.Client):
    api.get("/api/gpu/telemetry")
    api.head("/api/gpu/telemetry")

    assert api.get("/api/gpu/telemetry").headers[REMAINING] == "57"
    assert api.post("/api/gpu/telemetry").headers[REMAINING] == "59"
    assert api.request("MADE-UP", "/api/gpu/telemetry").headers[REMAINING] == "59"
    assert api.request("OTHER-ONE", "/api/gpu/telemetry").headers[REMAINING] == "58"


def test_a_client_cannot_start_anew_under_a_forwarded_address(api: httpx.Client):
    answers = [api.get("/api/runs/x/metrics", headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(61)]

    assert answers[-1].status_code == 429


def test_a_file_is_in_force_without_a_restart_and_the_longest_prefix_wins(api: httpx.Client, put: Put):
    assert api.options("/api/runs").headers[LIMIT] == "60"

    of_runs = {"max_requests": 40, "window_seconds": 30}
    put(endpoints={"/api/health": {"max_requests": 500}, "/api/runs": of_runs, "/api/runs/x": {"max_requests": 7}})

    limits = {path: api.options(path).headers[LIMIT] for path in ("/api/runs", "/api/runs/x/metrics", "/api/health")}
    assert limits == {"/api/runs": "40", "/api/runs/x/metrics": "7", "/api/health": "500"}
    assert api.options("/api/runs/xy").headers[LIMIT] == "40"
    assert int(api.options("/api/runs").headers[RESET]) <= 30


def test_after_the_time_that_a_refusal_names_the_client_may_go_on(client: httpx.Client, put: Put):
    put(endpoints={"/api/health": {"max_requests": 2, "window_seconds": 2}})
    refused = next(answer for answer in iter(lambda: client.get("/api/health"), None) if answer.status_code == 429)

    time.sleep(refused.json()["retry_after"])

    assert client.get("/api/health").status_code == 200


def test_a_burst_is_refused_for_a_second(client: httpx.Client, put: Put):
    put(endpoints={"/api/health": {"max_requests": 1000, "burst_size": 3}})
    refused = next(answer for answer in iter(lambda: client.get("/api/health"), None) if answer.status_code == 429)

    assert (refused.json()["retry_after"], refused.headers["Retry-After"]) == (1, "1")
    assert int(refused.headers[REMAINING]) > 900
    time.sleep(1)
    assert client.get("/api/health").status_code == 200


@pytest.mark.parametrize("settings", [{"enable_rate_limiting": False}, {"whitelist_localhost": True}])
def test_who_is_not_limited_gets_the_headers_without_a_decrement(
    client: httpx.Client, put: Put, settings: dict[str, Any]
):
    put(settings=settings, endpoints={"/api/health": {"max_requests": 2}})

    answers = [client.get("/api/health") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert {(answer.headers[LIMIT], answer.headers[REMAINING]) for answer in answers} == {("2", "2")}


def test_the_headers_can_be_called_otherwise(client: httpx.Client, put: Put):
    names = {"rate_limit_header": "RateLimit-Limit", "rate_limit_remaining_header": "RateLimit-Remaining"}
    put(header="RateLimit-Limit", settings={"custom_headers": names})

    answer = client.get("/api/health")

    assert LIMIT not in answer.headers
    assert {"RateLimit-Limit", "RateLimit-Remaining", RESET} <= {name for name in NAMES if name in answer.headers}
    assert "RateLimit-Remaining" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("broken", ["{", '{"endpoints": {"/api": {"max_requests": 0}}}', "[]"])
def test_a_broken_file_is_reported_once_and_the_limits_stay(
    server: ViewerServer, client: httpx.Client, put: Put, broken: str
):
    number = put()
    before = len(server.log.read_text())

    def reports() -> int:
        client.options("/api/any")  # the file is looked at when somebody asks
        return server.log.read_text()[before:].count("The rate limits stay as they were")

    draft = server.storage.parent / "draft"
    draft.write_text(broken)
    draft.replace(limits_file(server))

    wait_for(lambda: reports() > 0)
    time.sleep(LOOK_INTERVAL_S)
    assert reports() == 1
    assert client.options("/api/any").headers[LIMIT] == str(number)


def test_a_copy_of_the_defaults_of_041_counts_as_no_file(client: httpx.Client, server: ViewerServer, put: Put):
    put()
    shipped = {
        "default": {"max_requests": 6000, "window_seconds": 60, "burst_size": None},
        "endpoints": {"/api/ssh/connect": {"max_requests": 10, "window_seconds": 60}},
        "settings": {"enable_rate_limiting": False, "log_violations": True},
    }
    write_limits(server.storage.parent / "config", shipped)

    wait_for(lambda: client.options("/api/any").headers[LIMIT] == "60")

    assert client.options("/api/ssh/connect").headers[LIMIT] == "5"
    assert client.get("/api/health").headers[REMAINING] == "59"


def test_a_refusal_is_logged_once_a_window_and_without_what_was_sent(
    server: ViewerServer, client: httpx.Client, put: Put
):
    put(endpoints={"/api/status/check": {"max_requests": 1}})
    for _ in range(5):
        client.post("/api/status/check?password=hunter2", headers={"Authorization": "Bearer rc_secret"})

    lines = [line for line in server.log.read_text().splitlines() if "POST api/status/check" in line]

    assert len(lines) == 1
    assert re.search(r"Rate limit of 1 exceeded by 127\.0\.\d+\.\d+: POST api/status/check$", lines[0])
    put(settings={"log_violations": False}, endpoints={"/api/gpu/telemetry": {"max_requests": 1}})
    assert [client.get("/api/gpu/telemetry").status_code for _ in range(3)][1:] == [429, 429]
    assert "GET api/gpu/telemetry" not in server.log.read_text()


def test_a_token_counts_by_itself_wherever_it_is_used_from(rf: RequestFactory):
    def ask(address: str, token: SimpleNamespace | None) -> int:
        request = rf.get("/api/recycle-bin", REMOTE_ADDR=address)
        request.api_token = token  # type: ignore[attr-defined]
        return int(RateLimitMiddleware(lambda request: HttpResponse())(request)[REMAINING])

    token = SimpleNamespace(pk=7)
    first = ask("192.0.2.1", token)

    assert ask("192.0.2.2", token) == first - 1
    assert ask("192.0.2.2", None) == ask("192.0.2.3", None)


def test_counters_of_addresses_without_end_take_bounded_memory():
    counters = caches["ratelimit"]
    for number in range(100_500):
        counters.add(f"address-{number}", 1)

    assert len(counters._cache) <= 100_000  # type: ignore[attr-defined]
    assert counters.get("address-100499") == 1
    counters.clear()
