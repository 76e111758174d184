"""Headers that every answer carries, whatever answers."""

from __future__ import annotations

import httpx
import pytest

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
