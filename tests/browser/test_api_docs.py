"""The API's documentation in a browser: it works without the internet and without inline scripts."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Viewer

#: The one thing that Redoc would fetch from elsewhere. The page's policy refuses it, and the browser says so.
REDOC_LOGO = "cdn.redoc.ly/redoc/logo-mini.svg"


@pytest.fixture
def fetched(page: Page) -> list[str]:
    """The addresses that were answered."""
    addresses: list[str] = []
    page.on("requestfinished", lambda request: addresses.append(request.url))
    return addresses


def policy(url: str) -> dict[str, list[str]]:
    directives = httpx.get(url).headers["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in (directive.split() for directive in directives)}


def test_swagger_ui_shows_the_description_and_calls_the_api(page: Page, viewer: Viewer, fetched: list[str]):
    page.goto("/docs")

    page.get_by_text("/api/health").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text('"status": "ok"')
    assert all(address.startswith((viewer.url, "data:")) for address in fetched)


def test_redoc_shows_the_description(page: Page, viewer: Viewer, fetched: list[str], errors: list[str]):
    page.goto("/redoc")

    expect(page.get_by_role("heading", name="Runicorn")).to_be_visible()
    expect(page.get_by_text("/api/recycle-bin/restore").first).to_be_attached()

    page.wait_for_load_state("networkidle")
    assert all(address.startswith((viewer.url, "data:", "blob:")) for address in fetched)
    assert [error for error in errors if REDOC_LOGO not in error] == []
    errors.clear()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_their_policy_lets_no_script_in_that_is_not_ours(viewer: Viewer, path: str):
    ours, theirs = policy(f"{viewer.url}/runs"), policy(viewer.url + path)

    assert theirs["default-src"] == ["'self'"]
    assert "script-src" not in theirs
    assert {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)} <= {
        "img-src",
        "style-src",
        "worker-src",
    }


def test_the_description_is_asked_for_again_and_not_sent_again(viewer: Viewer):
    first = httpx.get(f"{viewer.url}/openapi.json")
    again = httpx.get(f"{viewer.url}/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

    assert first.json()["info"]["title"] == "Runicorn"
    assert (again.status_code, again.content) == (304, b"")
