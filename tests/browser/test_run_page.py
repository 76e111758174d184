"""The charts and images of a run in a browser, while it trains and after."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import Script, Viewer
from tests.run_directories import write_run
from tests.training_scripts import run_script

Train = Callable[[str], Script]

LIVE = """
run = rn.init(project="vision", name="vit", run_id="{run_id}", capture_env=False)
for step in range(1, 4):
    rn.log({{"loss": 1 / step}}, step=step)
input()
rn.log({{"loss": 0.0625, "late": 7}}, step=16)
input()
"""
LONG = """
rn.init(project="vision", name="long", run_id="long", capture_env=False)
for step in range(5000):
    value = float("nan") if step == 2500 else step % 100
    rn.log({"train/loss": value, "val/acc": step}, step=step, stage="warmup" if step < 1000 else "train")
"""
#: Whether something is drawn in the run's colour.
IS_DRAWN = """canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some(channel => channel > 0);
}"""


def card(page: Page, metric: str):
    return page.locator(f'[data-metric="{metric}"]')


def test_a_chart_follows_the_run_and_a_new_metric_gets_a_card(page: Page, train: Train):
    script = train(LIVE.format(run_id="follows"))
    page.goto("/runs")
    page.locator('tr[data-run="follows"] [data-open]').click()
    expect(card(page, "loss")).to_contain_text("0.3333 step 3")
    assert card(page, "loss").locator("canvas").evaluate(IS_DRAWN)

    script.go_on()

    expect(card(page, "loss")).to_contain_text("0.06250 step 16")
    expect(card(page, "late")).to_contain_text("7 step 16")
    expect(card(page, "late").locator("canvas")).to_be_visible()

    script.go_on()

    expect(page.locator(".run-head")).to_contain_text("finished")


def test_a_page_without_metrics_shows_the_first_one_when_it_comes(page: Page, train: Train):
    script = train("run = rn.init(run_id='empty-first', capture_env=False); input(); rn.log(loss=0.5); input()")
    page.goto("/runs")
    page.locator('tr[data-run="empty-first"] [data-open]').click()
    expect(page.get_by_role("heading", name="No metrics yet")).to_be_visible()

    script.go_on()

    expect(card(page, "loss")).to_contain_text("0.5000")


def open_long_run(page: Page, viewer: Viewer) -> None:
    if not list(viewer.root.glob("vision/long/runs/long")):
        run_script(LONG, root=viewer.root)
    page.goto("/runs")
    expect(page.locator('tr[data-run="long"]')).to_contain_text("finished")
    page.goto("/runs/long")
    expect(card(page, "train/loss").locator("canvas")).to_be_visible()


def test_a_long_chart_says_what_it_left_out_and_zooming_shows_it(page: Page, viewer: Viewer):
    open_long_run(page, viewer)
    loss = card(page, "train/loss")
    expect(loss).to_contain_text(re.compile(r"[\d,]+ of 5,000 points"))
    expect(loss).to_contain_text("1 value is not finite")

    area = loss.locator(".u-over").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.50, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.56, area["y"] + 40, steps=5)
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"range=2\d+"))
    expect(loss.locator("[data-reduced]")).to_be_empty()
    expect(card(page, "val/acc").locator("[data-reduced]")).to_be_empty()
    page.reload()
    expect(page.get_by_role("button", name="Whole range")).to_be_visible()

    page.get_by_role("button", name="Whole range").click()

    expect(loss).to_contain_text("of 5,000 points")
    expect(page).to_have_url(re.compile(r"/runs/long$"))


def test_the_tools_hold_for_all_charts_and_stand_in_the_url(page: Page, viewer: Viewer):
    open_long_run(page, viewer)

    page.get_by_label("X axis").select_option("relative")
    page.get_by_label("Logarithmic y").check()
    page.get_by_label("Smoothing").fill("0.9")
    page.get_by_placeholder("Metric name").fill("acc$")

    expect(card(page, "train/loss")).to_be_hidden()
    expect(page.locator("[data-hidden-count]")).to_have_text("1 chart hidden")
    expect(page).to_have_url(re.compile(r"match=acc%24&x=relative&smooth=0.9&log=1"))
    page.reload()
    expect(card(page, "train/loss")).to_be_hidden()
    expect(page.get_by_label("Logarithmic y")).to_be_checked()
    expect(page.get_by_label("X axis")).to_have_value("relative")

    page.get_by_placeholder("Metric name").fill("(")

    expect(page.get_by_placeholder("Metric name")).to_have_class(re.compile("is-invalid"))


def test_pointing_at_one_chart_reads_all_of_them_there(page: Page, viewer: Viewer):
    open_long_run(page, viewer)
    area = card(page, "train/loss").locator(".u-over").bounding_box()
    assert area is not None

    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 30)

    expect(card(page, "val/acc")).to_have_class(re.compile("is-pointed"))
    expect(card(page, "val/acc").locator("[data-at]")).to_have_text(re.compile(r"step 2[45]\d\d"))

    page.mouse.move(2, 2)

    expect(card(page, "val/acc").locator("[data-at]")).to_have_text("step 4999")


def test_behind_each_chart_is_a_table_of_its_values(page: Page, train: Train):
    train("run = rn.init(run_id='tabled', capture_env=False); rn.log(loss=0.5); rn.log(loss=float('inf')); input()")
    page.goto("/runs")
    page.locator('tr[data-run="tabled"] [data-open]').click()
    expect(card(page, "loss").locator("canvas")).to_be_visible()
    button = card(page, "loss").get_by_role("button", name="Table of values")

    button.click()

    table = card(page, "loss").get_by_role("table")
    expect(table.locator("caption")).to_have_text("loss: 1 of 2 points")
    expect(table.locator("tbody tr")).to_have_text(["10.5", "2∞"])
    expect(button).to_have_attribute("aria-expanded", "true")


def test_an_alert_appears_on_the_open_page(page: Page, train: Train):
    script = train(
        "run = rn.init(run_id='alerted', capture_env=False); input(); rn.alert('diverged', level='error'); input()"
    )
    page.goto("/runs")
    page.locator('tr[data-run="alerted"] [data-open]').click()
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="No alerts")).to_be_visible()
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")

    script.go_on()

    expect(page.locator(".alert-line")).to_contain_text("error diverged")


def test_a_folded_section_stays_folded(page: Page, viewer: Viewer):
    open_long_run(page, viewer)

    page.locator('[data-section="train"] > summary').click()
    expect(card(page, "train/loss")).to_be_hidden()
    page.reload()

    expect(card(page, "train/loss")).to_be_hidden()
    expect(card(page, "val/acc")).to_be_visible()


def test_images_come_in_and_open_in_full_size(page: Page, train: Train):
    script = train(
        """
        import numpy as np
        run = rn.init(run_id="pictures", capture_env=False)
        rn.log_image("samples", np.zeros((8, 8, 3), np.uint8), step=1, caption="first <b>")
        input()
        rn.log_image("samples", np.full((8, 8, 3), 200, np.uint8), step=2)
        input()
        """
    )
    page.goto("/runs")
    page.locator('tr[data-run="pictures"] [data-open]').click()
    page.get_by_role("link", name="Media").click()
    expect(page.locator("figure")).to_have_count(1)

    script.go_on()

    expect(page.locator("figure")).to_have_count(2)
    expect(page.locator("figure img").first).to_have_js_property("naturalWidth", 8)

    page.locator("figure a").first.click()

    dialog = page.get_by_role("dialog", name="Image in full size")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("step 1 first <b>")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_run_that_is_deleted_while_it_is_open_says_so_and_stays_readable(
    page: Page, viewer: Viewer, errors: list[str]
):
    run_script("rn.init(run_id='goes', capture_env=False); rn.log(loss=0.5); rn.finish()", root=viewer.root)
    page.goto("/runs")
    page.locator('tr[data-run="goes"] [data-open]').click()
    expect(card(page, "loss")).to_contain_text("0.5000")

    answer = httpx.post(f"{viewer.url}/api/runs/soft-delete", json={"run_ids": ["goes"]})

    assert answer.status_code == 200
    expect(page.get_by_text("This run is no longer there")).to_be_visible()
    expect(card(page, "loss")).to_contain_text("0.5000")
    errors.clear()  # the browser reports the 404


def test_config_summary_and_environment_are_searched(page: Page, viewer: Viewer):
    write_run(
        viewer.root,
        "vision/vit/runs/20250114_153045_search",
        config={"model": {"depth": 12, "encoder": {"width": 768}}, "lr": 0.1},
        summary={"best": {"epoch": 3}},
        environment={"python_version": "3.11.2", "pip_packages": ["numpy==2.1.0", "torch==2.5.0"]},
    )
    page.goto("/runs")
    page.locator('tr[data-run="20250114_153045_search"] [data-open]').click()
    page.get_by_role("link", name="Overview").click()
    leaves = page.locator(".tree-leaf:visible")
    box = page.get_by_label("Search config, summary and environment")

    box.fill("width")
    expect(leaves).to_have_text(["width 768"])
    box.fill("MODEL")
    expect(page.locator(".tree-leaf:visible", has_text="depth")).to_be_visible()
    expect(page.locator(".tree-leaf", has_text="lr")).to_be_hidden()
    box.fill("torch")
    expect(page.locator(".packages li:visible")).to_have_text(["torch==2.5.0"])
    box.fill("")
    expect(page.locator(".tree-leaf", has_text="lr")).to_be_visible()
