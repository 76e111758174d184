"""Comparing runs in a browser: from the table to the board."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Viewer
from tests.run_directories import write_run


@pytest.fixture(scope="module", autouse=True)
def _sweep(viewer: Viewer) -> None:
    """Twelve runs of the project "compared": four learning rates with three seeds each."""
    for number in range(12):
        write_run(
            viewer.root,
            f"compared/vit/runs/cmp-{number:02}",
            config={"lr": [0.1, 0.2, 0.3, 0.4][number // 3], "seed": number % 3},
            records=[{"global_step": step, "cmp/loss": number + step / 10} for step in range(20)],
        )


def point_at(page: Page, metric: str, *, share: float) -> None:
    area = page.locator(f'[data-metric="{metric}"] .u-over').bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * share, area["y"] + area["height"] / 2)


def test_ticked_runs_are_compared_by_a_key(page: Page):
    page.goto("/runs?project=compared")
    expect(page.locator("tr[data-key]")).to_have_count(12)
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    page.get_by_label("Choose all runs of this page").check()
    expect(page.locator("[data-compare-count]")).to_have_text("12")

    page.keyboard.press("c")

    expect(page).to_have_url(re.compile(r"/compare\?runs=cmp-"))
    expect(page.locator("[data-run-toggle]:visible")).to_have_count(10)
    point_at(page, "cmp/loss", share=0.5)
    expect(page.locator(".plot-tip > span")).to_have_count(10)
    expect(page.locator(".plot-tip")).to_contain_text(re.compile("step (9|10)"))

    page.get_by_role("button", name="2 more runs").click()
    expect(page.locator("[data-run-toggle]:visible")).to_have_count(12)
    expect(page).to_have_url(re.compile("shown=20"))


def test_runs_are_hidden_and_grouped_and_the_address_keeps_it(page: Page):
    page.goto("/compare?runs=" + ",".join(f"cmp-{number:02}" for number in range(6)))
    expect(page.locator('[data-metric="cmp/loss"] canvas')).to_be_visible()

    page.get_by_label("lr=0.1 seed=0").uncheck()
    point_at(page, "cmp/loss", share=0.5)
    expect(page.locator(".plot-tip > span")).to_have_count(5)

    page.get_by_role("button", name="Group them").click()
    point_at(page, "cmp/loss", share=0.52)
    expect(page.locator(".plot-tip > span")).to_have_text([re.compile(r"lr=0.[12] \(n=[23]\).*n=[23]\)")] * 2)
    expect(page).to_have_url(re.compile("off=cmp-00&group=seeds"))

    page.reload()
    expect(page.get_by_label("lr=0.1 seed=0")).not_to_be_checked()
    expect(page.get_by_label("Group by")).to_have_value("seeds")
    page.locator("[name=spread]").select_option("minmax")
    point_at(page, "cmp/loss", share=0.5)
    expect(page.locator(".plot-tip")).to_contain_text(re.compile("(3.900 – 5.900|4 – 6), n=3"))


SIX = ",".join(f"cmp-{number:02}" for number in range(6))


def drag(page: Page, *, start: tuple[float, float], end: tuple[float, float]) -> None:
    """In shares of the width and height of the picture."""
    area = page.locator("[data-relations-plot]").bounding_box()
    assert area is not None
    places = [(area["x"] + area["width"] * x, area["y"] + area["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=8)
    page.mouse.up()


def test_a_baseline_leads_and_the_others_are_told_by_their_distance(page: Page):
    page.goto("/compare?runs=cmp-00,cmp-01,cmp-02&smooth=0.5")
    expect(page.locator('[data-metric="cmp/loss"] canvas')).to_be_visible()

    page.get_by_text("seed=1").hover()
    page.get_by_role("link", name="Compare with cmp-01").click()

    expect(page).to_have_url(re.compile("smooth=0.5&baseline=cmp-01"))
    expect(page.locator(".compare-label").first).to_have_text("seed=1")
    expect(page.locator('[data-metric="cmp/loss"] canvas')).to_be_visible()
    point_at(page, "cmp/loss", share=0.5)
    expect(page.locator(".plot-tip")).to_contain_text(re.compile(r"\(-1(\.0+)?\)"))
    expect(page.locator(".plot-tip")).to_contain_text(re.compile(r"\(\+1(\.0+)?\)"))

    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.get_by_role("columnheader", name="baseline")).to_have_text(re.compile("seed=1"))
    page.go_back()
    page.get_by_role("link", name="No baseline").click()
    expect(page).not_to_have_url(re.compile("baseline"))


def test_a_run_is_given_a_colour_and_keeps_it(page: Page):
    page.goto("/compare?runs=cmp-11,cmp-10&off=cmp-10")
    expect(page.locator('[data-metric="cmp/loss"] canvas')).to_be_visible()
    page.get_by_text("seed=2").hover()
    page.get_by_role("button", name="Colour of cmp-11").click()
    page.get_by_role("button", name="plum").click()

    expect(page).to_have_url(re.compile(r"/compare\?runs=cmp-11,cmp-10&off=cmp-10$"))
    expect(page.locator(".compare-list li.run-color-11")).to_contain_text("seed=2")
    page.goto("/runs/cmp-11")
    expect(page.locator(".run-head.run-color-11")).to_be_visible()


def test_a_stretch_of_an_axis_chooses_runs_and_the_table_follows(page: Page):
    page.goto(f"/compare/parallel?runs={SIX}&axis=config.lr&axis=metrics.cmp/loss")
    rows = page.locator("[data-relation]:visible")
    expect(rows).to_have_count(6)
    expect(page.locator("[data-relations-plot] canvas")).to_be_visible()

    left = 60 / page.locator("[data-relations-plot]").bounding_box()["width"]
    drag(page, start=(left, 0.6), end=(left, 0.97))  # the lower end of the learning rates

    expect(rows).to_have_count(3)
    expect(page.locator("[data-relations-count]")).to_have_text("3 of 6 runs")
    page.get_by_role("link", name="Compare only these").click()
    expect(page).to_have_url(re.compile(r"runs=cmp-00,cmp-01,cmp-02&"))
    expect(page.locator("[data-relation]:visible")).to_have_count(3)


def test_a_rectangle_chooses_points_and_all_come_back(page: Page):
    page.goto(f"/compare/scatter?runs={SIX}&x=config.lr&y=metrics.cmp/loss")
    rows = page.locator("[data-relation]:visible")
    expect(rows).to_have_count(6)
    expect(page.locator("[data-relations-plot] canvas")).to_be_visible()

    drag(page, start=(0.08, 0.3), end=(0.4, 0.84))
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Choose all again").click()

    expect(rows).to_have_count(6)
    page.get_by_label("Y axis").select_option("config.seed")
    expect(page).to_have_url(re.compile("y=config.seed"))


def test_two_logs_stand_beside_each_other(page: Page, viewer: Viewer):
    for number in (0, 5):
        folder = viewer.root / f"compared/vit/runs/cmp-{number:02}"
        (folder / "logs.txt").write_text(f"this is run {number}\n")
    page.goto(f"/compare/logs?runs={SIX}&left=cmp-00")
    page.get_by_label("Right").select_option("cmp-05")

    expect(page.locator(".compare-log [data-lines]")).to_have_text(["this is run 0", "this is run 5"])
    expect(page.locator(".compare-log .is-numbered")).to_have_count(2)
