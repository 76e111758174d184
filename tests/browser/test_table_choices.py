"""The runs table as people work in it: columns, groups, orders, completion, ticks and undoing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Viewer
from tests.run_directories import write_run


@pytest.fixture(scope="module", autouse=True)
def _runs(viewer: Viewer) -> None:
    """Six runs of the project "choices": two of each learning rate."""
    for number in range(6):
        write_run(
            viewer.root,
            f"choices/vit/runs/choice-{number}",
            config={"learning_rate": [0.1, 0.01, 0.001][number // 2], "seed": number},
            records=[{"global_step": step, "choice/acc": number / 10 + step / 100} for step in range(3)],
        )


@pytest.fixture
def table(page: Page) -> Page:
    page.goto("/runs?project=choices")
    expect(page.locator("tr[data-key]")).to_have_count(6)
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    return page


def shown(page: Page) -> list[str]:
    return page.locator("tr[data-key]").evaluate_all("rows => rows.map((row) => row.dataset.run.at(-1))")  # type: ignore[no-any-return]


def test_columns_come_and_go_and_are_remembered(table: Page):
    table.get_by_role("button", name="Columns and groups").click()
    picker = table.locator("[data-field-picker]")
    picker.get_by_label("Search metrics and parameters").fill("CHOICE")
    picker.get_by_role("link", name="metrics.choice/acc.max: max").click()

    head = table.get_by_role("columnheader", name="choice/acc max")
    expect(head).to_be_visible()
    expect(picker.get_by_text("max ✓")).to_be_visible()
    expect(table).to_have_url(re.compile("columns=experiment%2Ccreated.*choice%2Facc.max"))

    picker.get_by_role("link", name="Take created away").click()
    expect(table.get_by_role("columnheader", name="Created")).to_have_count(0)
    picker.get_by_role("link", name="Move metrics.choice/acc.max to the left").click()
    expect(table.locator("thead th").nth(5)).to_contain_text("choice/acc")

    table.goto("/runs?project=choices")
    expect(head).to_be_visible()


def test_columns_keep_the_width_they_were_dragged_to(table: Page):
    head = table.get_by_role("columnheader", name="Project / experiment")
    handle = head.locator(".width-handle")
    box, wide = handle.bounding_box(), head.evaluate("head => head.offsetWidth")
    assert box is not None

    table.mouse.move(box["x"] + 3, box["y"] + 5)
    table.mouse.down()
    table.mouse.move(box["x"] + 123, box["y"] + 5, steps=4)
    table.mouse.up()

    assert head.evaluate("head => head.offsetWidth") == pytest.approx(wide + 120, abs=4)
    table.reload()
    expect(head.locator(".width-handle")).to_be_attached()
    assert head.evaluate("head => head.offsetWidth") == pytest.approx(wide + 120, abs=4)


def test_shift_sorts_by_a_second_column(table: Page):
    table.goto("/runs?project=choices&columns=config.learning_rate,config.seed")

    table.get_by_role("link", name="config learning_rate").click()
    expect(table.get_by_role("columnheader", name="config learning_rate")).to_have_attribute("aria-sort", "descending")
    table.get_by_role("link", name="config seed").click(modifiers=["Shift"])

    expect(table.get_by_role("columnheader", name="config seed")).to_have_attribute("aria-sort", "descending")
    assert shown(table) == ["1", "0", "3", "2", "5", "4"]
    expect(table).to_have_url(re.compile("sort=-config.learning_rate%2C-config.seed"))


def test_groups_unfold_and_fold(table: Page):
    table.goto("/runs?project=choices&group=config.learning_rate&columns=metrics.choice/acc")

    group = table.locator("tr.group-row", has_text="0.001")
    expect(group).to_contain_text("0.4700 ± 0.07071")
    group.get_by_role("link").click()

    expect(table.locator("tr[data-key]")).to_have_count(2)
    expect(group.get_by_role("link")).to_have_attribute("aria-expanded", "true")
    group.get_by_role("link").click()
    expect(table.locator("tr[data-key]")).to_have_count(0)


def test_open_groups_stand_in_the_url_and_stay_open_through_sorting(table: Page):
    table.goto("/runs?project=choices&group=config.learning_rate,config.seed")
    outer = table.locator('tr.group-row[data-depth="1"]', has_text="0.001").get_by_role("link")
    outer.click()
    inner = table.locator('tr.group-row[data-depth="2"]')
    expect(inner).to_have_count(2)
    inner.first.get_by_role("link").click()
    expect(table.locator("tr[data-key]")).to_have_count(1)
    run_id = table.locator("tr[data-key]").get_attribute("data-run")
    expect(table).to_have_url(re.compile(r"&open=[0-9a-f]{8},[0-9a-f]{8}\.[0-9a-f]{8}$"))

    table.reload()
    expect(table.locator(f'tr[data-run="{run_id}"]')).to_be_visible()

    table.get_by_role("link", name="Run", exact=True).click()
    expect(table).to_have_url(re.compile("sort="))
    expect(table).to_have_url(re.compile("open="))
    expect(table.locator(f'tr[data-run="{run_id}"]')).to_be_visible()

    outer.click()
    expect(table.locator("tr[data-key]")).to_have_count(0)
    outer.click()  # what was open inside of it is open again
    expect(table.locator(f'tr[data-run="{run_id}"]')).to_be_visible()
    inner.first.get_by_role("link").click()
    expect(table.locator("tr[data-key]")).to_have_count(0)
    expect(table).to_have_url(re.compile(r"open=[0-9a-f]{8}$|open=[0-9a-f]{8}&"))


def test_a_filter_is_completed_by_keys_and_a_mistake_keeps_the_table(table: Page):
    box = table.locator("[data-filter-box]")
    table.keyboard.press("/")

    table.keyboard.type("config.learn")
    expect(table.get_by_role("option", name="config.learning_rate")).to_be_visible()
    table.keyboard.press("ArrowDown")
    table.keyboard.press("Enter")
    expect(box).to_have_value("config.learning_rate ")

    expect(table.get_by_role("option", name="<=")).to_be_visible()
    table.keyboard.type("< ")
    expect(table.locator("[data-filter-mistake]")).to_contain_text("ends too early")
    expect(table.locator("tr[data-key]")).to_have_count(6)
    assert "filter" not in table.url

    table.keyboard.type("0.05")
    expect(table.locator("tr[data-key]")).to_have_count(4)
    expect(table.locator("[data-filter-mistake]")).to_be_hidden()
    expect(box).to_be_focused()

    table.get_by_role("link", name="Take away: config.learning_rate < 0.05").click()
    expect(table.locator("tr[data-key]")).to_have_count(6)


def test_a_value_is_a_filter_by_one_click(table: Page):
    table.goto("/runs?project=choices&columns=config.seed")

    table.locator('tr[data-run="choice-3"] .cell-filter').click()

    expect(table.locator("tr[data-key]")).to_have_count(1)
    expect(table).to_have_url(re.compile(r"filter=config.seed\+%3D\+3"))


def test_ticked_runs_are_tagged_deleted_and_it_is_undone_by_keys(table: Page):
    table.keyboard.press("j")
    table.keyboard.press("x")
    table.keyboard.press("j")
    table.keyboard.press("x")
    bar = table.locator("[data-selection]")
    expect(bar).to_contain_text("2 runs chosen")

    bar.get_by_placeholder("Tags, with commas between").fill("good")
    bar.get_by_role("button", name="Add tags").click()
    expect(table.locator("tr[data-key]", has_text="good")).to_have_count(2)
    table.get_by_role("button", name="Undo").click()
    expect(table.locator("tr[data-key]", has_text="good")).to_have_count(0)

    bar.get_by_role("button", name="Move to the recycle bin").click()
    expect(table.locator("tr[data-key]")).to_have_count(4)
    expect(table.get_by_role("button", name="Undo")).to_be_visible()
    table.locator("body").click(position={"x": 5, "y": 700})
    table.keyboard.press("Control+z")
    expect(table.locator("tr[data-key]")).to_have_count(6)


def test_shift_ticks_what_lies_between_and_ticks_outlive_filters(table: Page):
    ticks = table.locator("[data-tick]")
    ticks.nth(1).click()
    ticks.nth(4).click(modifiers=["Shift"])
    expect(table.locator("[data-selection]")).to_contain_text("4 runs chosen")

    table.get_by_role("link", name=re.compile("^✓? ?finished")).click()
    expect(table).to_have_url(re.compile("status=finished"))

    expect(table.locator("[data-tick]:checked")).to_have_count(4)
    table.get_by_role("button", name="Clear selection").click()
    expect(table.locator("[data-tick]:checked")).to_have_count(0)
