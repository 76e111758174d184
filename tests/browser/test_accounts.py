"""A viewer that others can reach: the first account, a token, out and in again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.command_line import RunningCommand, running_viewer
from tests.experiments.access.people import PASSWORD, bearer

WIDER = """() => document.documentElement.scrollWidth > innerWidth"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCommand]:
    folder: Path = tmp_path_factory.mktemp("lab")
    with running_viewer("--host", "0.0.0.0", "--storage", str(folder / "root"), folder=folder) as viewer:
        viewer.wait_for("/set-up/")
        yield viewer


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, lab: RunningCommand, errors: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=lab.url, locale="en-US")
    yield watched(context.new_page(), errors)
    context.close()
    assert errors == []


def fill_account(page: Page) -> None:
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password", exact=True).fill(PASSWORD)


def test_from_the_set_up_link_to_a_token_and_out_and_in_again(page: Page, lab: RunningCommand):
    page.goto("/runs")
    expect(page).to_have_url(re.compile(r"/login\?next=/runs|/login\?next=%2Fruns"))
    expect(page.get_by_text("There is no account yet.")).to_be_visible()

    page.goto(re.search(r"http://\S+/set-up/\S+", lab.output)[0])
    fill_account(page)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="No runs yet")).to_be_visible()
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name").fill("notebook")
    page.get_by_label("Expires after").select_option("30 days")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#new-token").inner_text()
    assert httpx.get(f"{lab.url}/api/runs", headers=bearer(secret)).status_code == 200
    page.get_by_role("button", name="Revoke notebook").click()
    expect(page.get_by_text("The token was revoked.")).to_be_visible()
    expect(page.get_by_text("No tokens yet.")).to_be_visible()
    assert httpx.get(f"{lab.url}/api/runs", headers=bearer(secret)).status_code == 401

    page.get_by_role("link", name="Change the password").click()
    page.get_by_label("Old password").fill(PASSWORD)
    for label in ("New password", "New password confirmation"):
        page.get_by_label(label, exact=True).fill(PASSWORD + "!")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password was changed.")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/runs?project=digits")
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill(PASSWORD + "!")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs\?project=digits$"))


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1600])
def test_the_pages_of_strangers_open_cleanly(
    browser: Browser, lab: RunningCommand, width: int, theme: str, language: str
):
    errors: list[str] = []
    scheme = {"light": "light", "dark": "dark"}[theme]
    viewport = {"width": width, "height": 800}
    context = browser.new_context(base_url=lab.url, viewport=viewport, color_scheme=scheme, locale=language)
    page = watched(context.new_page(), errors)

    page.goto("/login")

    assert not page.evaluate(WIDER)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans" if language == "zh-CN" else "en")
    expect(page.locator("h1")).to_have_count(1)
    context.close()
    assert errors == []
