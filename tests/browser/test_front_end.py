"""Another front end in a real browser: it starts under its content policy, reads the API, follows a log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Viewer, watched
from tests.command_line import running_viewer
from tests.front_end import make_build
from tests.run_directories import RUN_ID, write_run
from tests.training_scripts import wait_until


@pytest.fixture
def swapped(tmp_path: Path) -> Iterator[Viewer]:
    run_dir = write_run(tmp_path / "root")
    (run_dir / "logs.txt").write_text("a line\n")
    build = make_build(tmp_path / "dist")
    with running_viewer("--storage", "root", folder=tmp_path, RUNICORN_FRONTEND_DIST=str(build)) as command:
        wait_until(lambda: command.get("/api/runs"))
        yield Viewer(command.url, tmp_path / "root", command.process.pid)


def test_a_build_runs_under_its_policy_and_our_pages_are_below_dashboard(browser: Browser, swapped: Viewer):
    errors: list[str] = []
    context = browser.new_context(base_url=swapped.url, locale="en-US")
    page = watched(context.new_page(), errors)

    page.goto(f"/runs/{RUN_ID}")
    expect(page.locator("#root")).to_have_text(f"/runs/{RUN_ID} shows {RUN_ID}")
    expect(page.locator("html")).to_have_attribute("data-inline", "ran")
    expect(page.locator("body")).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.locator("#root")).to_have_css("font-weight", "700")
    expect(page.locator("body")).to_have_attribute("data-line", "a line")
    page.reload()
    expect(page.locator("#root")).to_have_text(f"/runs/{RUN_ID} shows {RUN_ID}")

    page.goto("/dashboard/")
    page.locator(f'a[href*="{RUN_ID}"]').first.click()
    expect(page).to_have_url(f"{swapped.url}/dashboard/runs/{RUN_ID}")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    context.close()
    assert errors == []


def test_a_script_that_was_not_in_the_build_does_not_run(browser: Browser, swapped: Viewer):
    context = browser.new_context(base_url=swapped.url, locale="en-US")
    page = context.new_page()
    page.goto("/")

    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.body.dataset.injected = 1";
            document.body.append(script);
        }"""
    )

    expect(page.locator("body")).not_to_have_attribute("data-injected", "1")
    context.close()
