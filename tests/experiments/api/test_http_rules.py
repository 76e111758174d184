"""What holds for every address of the API: error shape, methods, hosts, origins, hostile input."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from tests.server import ViewerServer

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("address", ["/api/nope", "/api/", "/api", "/api/runs/", "/api/runs/x/y/z", "/api/v2"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_a_404_and_never_a_page(api: httpx.Client, address: str, method: str):
    answer = api.request(method, address)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_a_wrong_method_is_a_405_that_names_the_right_ones(api: httpx.Client):
    answer = api.delete("/api/runs")

    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert "GET" in answer.headers["Allow"]
    assert api.get("/api/status/check").status_code == 405
    assert api.get("/api/runs/soft-delete").status_code == 405


def test_an_error_carries_its_stable_code(api: httpx.Client):
    assert api.get("/api/runs/nope").json() == {"detail": "Run not found", "error_code": "RUN_NOT_FOUND"}


BODIES = [b"[" * 100_000, b"{", b'"\\ud800"', b"\xff\xfe", b'{"run_ids": [NaN]}', b'{"a":' * 5000 + b"1" + b"}" * 5000]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_json_is_a_400(api: httpx.Client, body: bytes):
    answer = api.post("/api/runs/soft-delete", content=body, headers=JSON)

    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()["detail"]


OTHER_BODIES = [
    {"content": b'{"run_ids": ["x"]}', "headers": {"Content-Type": "text/plain"}},
    {"content": b'{"run_ids": ["x"]}', "headers": {"Content-Type": ""}},
    {"data": {"run_ids": "x"}},
    {"files": {"run_ids": b"x"}},
]


@pytest.mark.parametrize("body", OTHER_BODIES)
def test_a_body_of_another_type_is_a_400(api: httpx.Client, body: dict[str, Any]):
    answer = api.post("/api/runs/soft-delete", **body)

    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


def test_any_accept_header_and_format_parameter_get_json(api: httpx.Client):
    for accept in ("text/html", "application/xml", "image/*", "nonsense"):
        answer = api.get("/api/health?format=html", headers={"Accept": accept})

        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_any_origin_may_read_but_never_with_credentials(api: httpx.Client):
    for address in ("/api/runs", "/api/nope", "/api/runs/nope"):
        answer = api.get(address, headers={"Origin": "https://elsewhere.example"})

        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Content-Disposition" in answer.headers["Access-Control-Expose-Headers"]


def test_a_preflight_is_answered(api: httpx.Client):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = api.options("/api/runs/soft-delete", headers=asked)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


FOREIGN = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1.elsewhere.example"},
    {"Origin": "http://[broken"},
    {"Origin": "http://127.0.0.1:99999999"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_origin_may_change_nothing(api: httpx.Client, headers: dict[str, str]):
    for address in ("/api/runs/soft-delete", "/api/recycle-bin/empty", "/api/recycle-bin/restore", "/api/status/check"):
        answer = api.post(address, json={"run_ids": ["x"]}, headers=headers)

        assert answer.status_code == 403
        assert isinstance(answer.json()["detail"], str)


def test_our_own_pages_and_programs_may(server: ViewerServer, api: httpx.Client):
    for headers in ({}, {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}):
        assert api.post("/api/status/check", headers=headers).status_code == 200


HOSTS = ["elsewhere.example", "127.0.0.1.elsewhere.example", "elsewhere.example:80", "[::2]", "", "a b", "127.0.0.1, x"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_not_ours_is_a_400(api: httpx.Client, host: str):
    for address in ("/api/runs", "/runs"):
        assert api.get(address, headers={"Host": host}).status_code == 400
    if host:
        assert isinstance(api.get("/api/runs", headers={"Host": host}).json()["detail"], str)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:5", "[::1]", "[::1]:8080"])
def test_loopback_is_known_by_all_its_names(api: httpx.Client, host: str):
    assert api.get("/api/health", headers={"Host": host}).status_code == 200


def test_a_bug_is_a_500_without_a_trace_of_the_code(server: ViewerServer, api: httpx.Client):
    rename = "from django.db import connections\nconnections['index'].cursor().execute('ALTER TABLE {} RENAME TO {}')"
    server.run_python(rename.format("experiments_media", "away"))
    server.run_python(
        "from experiments.models import Run, StorageRoot\n"
        'root = StorageRoot.objects.create(key="bug", path="/bug")\n'
        'Run.objects.create(root=root, path="a", run_id="bug", status="finished", created_at=1, updated_at=1)\n'
    )
    try:
        answer = api.get("/api/runs/bug/media")
    finally:
        server.run_python(rename.format("away", "experiments_media"))
        server.run_python('from experiments.models import StorageRoot; StorageRoot.objects.filter(key="bug").delete()')

    assert answer.status_code == 500
    assert list(answer.json()) == ["detail"]
    assert "Traceback" not in answer.text
    assert "experiments_media" not in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    log = server.log.read_text()
    assert "Traceback" in log, "the log has it in full"
    assert "experiments_media" in log


LISTS = ["/api/runs", "/api/projects", "/api/recycle-bin", "/api/experiments/search"]
LISTS += ["/api/v2/experiments", "/api/v2/experiments/x", "/api/v2/analytics/summary"]


def test_a_list_that_cannot_be_read_is_an_error_and_not_empty(server: ViewerServer, api: httpx.Client):
    rename = "from django.db import connections\nconnections['index'].cursor().execute('ALTER TABLE {} RENAME TO {}')"
    server.run_python(rename.format("experiments_run", "away"))
    try:
        answers = [api.get(address) for address in LISTS]
    finally:
        server.run_python(rename.format("away", "experiments_run"))

    assert [answer.status_code for answer in answers] == [500] * len(LISTS)
    assert all(isinstance(answer.json()["detail"], str) for answer in answers)
    assert api.get("/api/v2/experiments").status_code == 200


HOST = b"Host: 127.0.0.1\r\n"
JSON_POST = b"Content-Type: application/json\r\nContent-Length: 5\r\n\r\nnull\n"
RAW = [
    b"GET /api/runs HTTP/1.1\r\n" + HOST + b"Host: elsewhere.example\r\n\r\n",
    b"GET /api/runs/%ff%fe HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/runs?project=%ff HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //api/runs/../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/runs?" + b"a=1&" * 3000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /api/runs/soft-delete HTTP/1.1\r\n" + HOST + JSON_POST,
    b"\x00\x01\x02\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", RAW)
def test_raw_nonsense_gets_an_answer_below_500_or_none(server: ViewerServer, api: httpx.Client, request_bytes: bytes):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request_bytes)
        answer = connection.recv(65536)

    assert not answer or b" 2" in answer[:14] or b" 4" in answer[:14], answer[:200]
    assert api.get("/api/health").status_code == 200
