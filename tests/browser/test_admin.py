"""Curating in the admin with a real browser, under the content policy of all pages."""

from __future__ import annotations

import json

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Viewer, watched
from tests.browser.test_every_page import WIDER
from tests.run_directories import write_run
from tests.training_scripts import wait_until

PROJECT = "curated"
RUNS = [f"20250114_153045_ad000{number}" for number in range(3)]
LIST = f"/admin/experiments/run/?project={PROJECT}"


@pytest.fixture(scope="module", autouse=True)
def _three_runs(viewer: Viewer) -> None:
    for run_id in RUNS:
        write_run(viewer.root, f"{PROJECT}/line/runs/{run_id}")
    wait_until(lambda: len(httpx.get(f"{viewer.url}/api/runs?project={PROJECT}").json()) == len(RUNS))


def choose(page: Page, action: str, *run_ids: str) -> None:
    for run_id in run_ids:
        page.get_by_label(f"Select {run_id}").check()
    page.get_by_label("Action:").select_option(action)
    page.get_by_role("button", name="Go").click()


def test_runs_are_filtered_tagged_and_deleted_for_ever(page: Page, viewer: Viewer):
    first, second, third = RUNS
    page.goto("/runs")
    page.get_by_role("link", name="Admin").click()
    page.get_by_role("link", name="Runs", exact=True).last.click()
    page.get_by_role("link", name=PROJECT, exact=True).click()
    expect(page.locator(".action-select")).to_have_count(3)

    choose(page, "add_tags", first, second)
    page.get_by_label("Tags:").fill("best, 好")
    page.get_by_role("button", name="Add tags").click()

    expect(page.get_by_text("Add tags: 2 runs.")).to_be_visible()
    expect(page.locator(".run-tag", has_text="best")).to_have_count(2)
    document = json.loads((viewer.root / PROJECT / "line" / "runs" / first / "curation.json").read_text("utf-8"))
    assert document["tags"] == ["best", "好"]

    choose(page, "move_to_recycle_bin", third)
    expect(page.locator(".action-select")).to_have_count(2)
    page.get_by_role("link", name="in the recycle bin", exact=True).click()
    choose(page, "purge", third)
    expect(page.locator(".errornote")).to_contain_text("1 run is deleted for ever")
    expect(page.locator(".errornote")).to_contain_text("KB on disk")
    page.get_by_role("button", name="Delete for ever").click()

    expect(page.get_by_text("Delete for ever: 1 run.")).to_be_visible()
    assert not (viewer.root / PROJECT / "line" / "runs" / third).exists()


def test_a_run_is_edited_on_its_page(page: Page, viewer: Viewer):
    page.goto(LIST)
    page.get_by_role("link", name=RUNS[1]).click()
    page.get_by_label("Description:").fill("with a **star**")
    page.get_by_label("Pinned").check()
    page.get_by_role("button", name="Save", exact=True).click()

    row = page.locator("tr", has_text=RUNS[1])
    expect(row).to_contain_text("with a **star**")
    expect(row).to_contain_text("pinned")


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1024, 1600])
def test_every_page_of_the_admin_opens_cleanly(browser: Browser, viewer: Viewer, width: int, theme: str, language: str):
    errors: list[str] = []
    context = browser.new_context(
        base_url=viewer.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
    )
    page = watched(context.new_page(), errors)

    models = ("run", "project", "experiment", "problem")
    for address in ("/admin/", *(f"/admin/experiments/{model}/" for model in models), LIST):
        page.goto(address)
        expect(page.locator("h1")).to_have_count(1)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans" if language == "zh-CN" else "en")
        assert not page.evaluate(WIDER), address
    page.locator(".field-title a").first.click()
    expect(page.locator("textarea")).to_be_visible()
    assert not page.evaluate(WIDER)

    context.close()
    assert errors == []
