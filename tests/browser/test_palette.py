"""The command palette: everything by the keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.artifacts.stored import log_version
from tests.browser.conftest import Viewer
from tests.run_directories import write_run


def test_a_run_is_found_by_its_words_and_opened_by_the_keyboard_alone(page: Page, viewer: Viewer):
    run_dir = write_run(
        viewer.root,
        "palette/words/runs/20250114_153045_palete",
        meta={"tags": ["exceptional"]},
        records=[{"global_step": step, "deep/metric": step, "other": 1} for step in range(5)],
    )
    log_version(viewer.root, {"w": b"1"}, name="exceptional-model")
    page.goto("/runs")
    expect(page.locator(f'tr[data-run="{run_dir.name}"]')).to_be_visible()
    box = page.get_by_role("combobox", name="Go to")
    offers = page.locator("[data-palette]").get_by_role("option")

    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    expect(offers.first).to_have_text("Overview")
    page.keyboard.type("exceptional")
    expect(offers).to_have_count(2)
    expect(offers.nth(1)).to_contain_text("exceptional-model")
    page.keyboard.press("ArrowUp")  # from the first to the last
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{viewer.url}/runs/{run_dir.name}")
    page.locator("[data-metric='deep/metric']").wait_for()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("metric")
    expect(offers.first).to_have_text("deep/metric")
    page.keyboard.press("Enter")
    expect(box).to_be_hidden()
    expect(page.locator("[data-metric='deep/metric']")).to_be_in_viewport()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("logs")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{viewer.url}/runs/{run_dir.name}/logs")


def test_the_palette_opens_while_somebody_types_and_says_when_nothing_is_called_so(page: Page, viewer: Viewer):
    write_run(viewer.root, "palette/typing/runs/20250114_153045_typing")
    page.goto("/runs")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")  # the scripts are there
    page.locator("[data-filter-box]").fill("status = failed")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("no such thing anywhere")

    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("[data-filter-box]")).to_be_focused()
    expect(page.locator("[data-filter-box]")).to_have_value("status = failed")


def test_the_palette_opens_by_its_button_and_closes_beside_it(page: Page):
    page.goto("/runs")
    page.get_by_role("button", name="Go to").click()
    expect(page.get_by_role("combobox", name="Go to")).to_be_visible()

    page.mouse.click(5, 5)

    expect(page.get_by_role("combobox", name="Go to")).to_be_hidden()
