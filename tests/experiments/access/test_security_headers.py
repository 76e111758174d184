"""Headers that every answer carries, whatever answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.server import running_server

ADDRESSES = [
    "/runs",
    "/nowhere",
    "/api/health",
    "/api/nope",
    "/static/experiments/app.js",
    "/static/nope",
    "/docs",
    "/admin/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_kept_from_being_framed_sniffed_and_told_about(local: httpx.Client, address: str):
    headers = local.get(address).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("address", ["/runs", "/nowhere", "/admin/", "/settings", "/recycle-bin"])
def test_every_page_forbids_code_that_is_not_ours(local: httpx.Client, address: str):
    policy = local.get(address).headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_needs_no_leave_of_another_origin_is_refused(local: httpx.Client, kind: str):
    answer = local.post("/api/runs/soft-delete", content=b'{"run_ids": ["x"]}', headers={"Content-Type": kind})

    assert answer.status_code == 400
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers", [{"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://localhost:1"}]
)
def test_a_foreign_page_changes_nothing(local: httpx.Client, headers: dict[str, str]):
    assert local.post("/api/status/check", headers=headers).status_code == 403
    assert local.get("/api/runs", headers=headers).status_code == 200


def test_with_an_allow_list_a_listed_origin_reads_and_changes_and_no_other_does(tmp_path: Path):
    listed, foreign = "https://lab.example", "https://lab.example.evil.example"
    with running_server(tmp_path, RUNICORN_ALLOWED_ORIGINS=listed) as server, httpx.Client(base_url=server.url) as api:

        def ask(method: str, address: str, origin: str) -> httpx.Response:
            return api.request(method, address, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})

        read = {origin: ask("GET", "/api/runs", origin).headers for origin in (listed, foreign)}
        changed = {origin: ask("POST", "/api/status/check", origin).status_code for origin in (listed, foreign)}

    assert {origin: headers.get("Access-Control-Allow-Origin") for origin, headers in read.items()} == {
        listed: listed,
        foreign: None,
    }
    assert all("Origin" in headers["Vary"] for headers in read.values())
    assert not any("Access-Control-Allow-Credentials" in headers for headers in read.values())
    assert changed == {listed: 200, foreign: 403}
