"""The table of runs in a browser: what comes in by itself, typing, keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import Script, Viewer
from tests.run_directories import write_run
from tests.training_scripts import run_script

Train = Callable[[str], Script]


def finished_run(viewer: Viewer, run_id: str, *, project: str = "vision", tag: str = "plain") -> None:
    run_script(
        f"rn.init(project={project!r}, name='vit', run_id={run_id!r}, tags=[{tag!r}], capture_env=False); rn.finish()",
        root=viewer.root,
    )


def test_a_run_comes_in_by_itself_and_changes_its_state_in_place(page: Page, train: Train):
    page.goto("/runs")

    script = train("rn.init(project='live', run_id='comes-in', capture_env=False); input()")

    row = page.locator('tr[data-run="comes-in"]')
    expect(row).to_contain_text("running")
    row.evaluate("row => row.dataset.same = 'yes'")

    script.go_on()

    expect(row).to_contain_text("finished")
    expect(row).to_have_attribute("data-same", "yes")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")


def test_typing_narrows_the_table_and_nothing_typed_is_lost(page: Page, viewer: Viewer):
    finished_run(viewer, "typed-one", tag="warm")
    finished_run(viewer, "typed-two", tag="cold")
    page.goto("/runs")
    expect(page.locator('tr[data-run="typed-two"]')).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("typed warm", delay=40)

    expect(page.locator('tr[data-run="typed-two"]')).to_have_count(0)
    expect(page.locator('tr[data-run="typed-one"]')).to_have_count(1)
    expect(page.locator("[data-filter-box]")).to_be_focused()
    expect(page.locator("[data-filter-box]")).to_have_value("typed warm")
    expect(page).to_have_url(re.compile(r"/runs\?filter=typed(%20|\+)warm$"))

    page.get_by_role("link", name="Clear").click()

    expect(page.locator('tr[data-run="typed-two"]')).to_have_count(1)
    expect(page.locator("[data-filter-box]")).to_have_value("")

    page.go_back()

    expect(page.locator("[data-filter-box]")).to_have_value("typed warm")
    expect(page.locator('tr[data-run="typed-two"]')).to_have_count(0)


@pytest.mark.parametrize("then", ["goes on typing", "opens the palette"])
def test_words_typed_while_rows_come_in_are_kept_and_asked_for(page: Page, viewer: Viewer, then: str):
    project = f"typing-{then[:4]}"
    finished_run(viewer, f"{project}-1", project=project)
    page.goto(f"/runs?project={project}")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.fallback()
        else:
            held.append(route)

    page.route(re.compile(r"/runs\?"), hold_the_first)
    with page.expect_request(lambda request: "hx-request" in request.headers):
        finished_run(viewer, f"{project}-2", project=project)

    box = page.locator("[data-filter-box]")
    box.press_sequentially(f"{project}-2")
    if then == "opens the palette":
        page.keyboard.press("Control+k")
    held[0].continue_()

    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator(f'tr[data-run="{project}-2"]')).to_have_count(1)
    expect(box).to_have_value(f"{project}-2")


def test_a_run_comes_into_an_empty_table_also_while_the_filter_is_in_use(page: Page, viewer: Viewer):
    page.goto("/runs?project=nothing-yet")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    page.locator("[data-filter-box]").focus()

    finished_run(viewer, "awaited-1", project="nothing-yet")

    expect(page.locator('tr[data-run="awaited-1"]')).to_have_count(1)
    expect(page.locator("[data-filter-box]")).to_be_focused()


def test_words_typed_before_the_scripts_are_there_are_asked_for(page: Page, viewer: Viewer):
    finished_run(viewer, "early-1", project="early")
    finished_run(viewer, "early-2", project="early")
    held: list[Route] = []
    page.route(re.compile(r"/filters\b.*\.js"), lambda route: held.append(route))
    with page.expect_request(re.compile(r"/filters\b.*\.js")):
        page.goto("/runs?project=early", wait_until="commit")
    page.locator("[data-filter-box]").fill("early-2")
    held[0].continue_()

    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator("[data-filter-box]")).to_have_value("early-2")


def test_sorting_and_filtering_by_clicks_stand_in_the_url(page: Page, viewer: Viewer):
    finished_run(viewer, "clicked-a", project="clicked")
    page.goto("/runs")
    expect(page.locator('tr[data-run="clicked-a"]')).to_be_visible()

    page.get_by_role("link", name="Best metric").click()
    expect(page.get_by_role("columnheader", name="Best metric")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Project", exact=True).select_option("clicked")

    expect(page).to_have_url(re.compile(r"\?project=clicked&sort=-best$"))
    expect(page.locator("tr[data-key]")).to_have_count(1)
    page.reload()
    expect(page.locator("tr[data-key]")).to_have_count(1)


def test_a_reader_who_works_in_the_table_is_told_of_new_runs_and_not_disturbed(page: Page, viewer: Viewer):
    finished_run(viewer, "before")
    page.goto("/runs")
    expect(page.locator('tr[data-run="before"]')).to_be_visible()
    page.keyboard.press("j")

    finished_run(viewer, "after-1")

    button = page.locator("[data-new-runs]")
    expect(button).to_have_text("1 new run")
    expect(page.locator('tr[data-run="after-1"]')).to_have_count(0)

    button.click()

    expect(page.locator('tr[data-run="after-1"]')).to_be_visible()
    expect(button).to_be_hidden()


def test_the_keyboard_keeps_its_place_through_sorting(page: Page, viewer: Viewer):
    finished_run(viewer, "focus-1", project="focus")
    page.goto("/runs?project=focus")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    expect(page.locator('tr[data-run="focus-1"]')).to_be_visible()
    head = page.get_by_role("link", name="Duration")
    head.focus()

    for direction in ("descending", "ascending"):
        page.keyboard.press("Enter")
        expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", direction)
        expect(head).to_be_focused()


def test_back_from_a_run_is_where_the_reader_was_in_the_table(page: Page, viewer: Viewer):
    for number in range(40):
        write_run(viewer.root, f"place/vit/runs/place-{number:02}")
    page.goto("/runs?project=place")
    expect(page.locator("tr[data-key]")).to_have_count(40)
    frame = page.locator("[data-scroll]")
    frame.evaluate("frame => { frame.scrollTop = 150; }")

    page.locator('tr[data-run="place-05"] [data-open]').click()
    expect(page).to_have_url(re.compile("/runs/place-05$"))
    top = "frame => frame.scrollTop"
    page.go_back()

    expect(page.locator("tr[data-key]")).to_have_count(40)
    assert frame.evaluate(top) == 150


@pytest.mark.parametrize("first", ["reload", "click"])
def test_a_click_while_new_runs_come_in_is_neither_lost_nor_undone(page: Page, viewer: Viewer, first: str):
    project = f"late-{first}"
    finished_run(viewer, f"{project}-1", project=project)
    page.goto(f"/runs?project={project}")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    held: dict[str, Route] = {}

    def hold(route: Route) -> None:
        if "hx-request" in route.request.headers:
            held["click" if "sort=" in route.request.url else "reload"] = route
        else:
            route.fallback()

    page.route(re.compile(r"/runs\?"), hold)

    with page.expect_request(lambda request: "hx-request" in request.headers):
        finished_run(viewer, f"{project}-2", project=project)
    with page.expect_request(lambda request: "sort=" in request.url):
        page.get_by_role("link", name="Duration").click()
    for answer in sorted(held, reverse=first == "reload"):
        with page.expect_response(held[answer].request.url):
            held[answer].continue_()

    expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tr[data-key]")).to_have_count(2)
    expect(page.locator("[data-filter-box]")).to_be_visible()


def test_the_keyboard_goes_through_runs_and_back(page: Page, viewer: Viewer):
    for run_id in ("key-1", "key-2"):
        finished_run(viewer, run_id, project="keys")
    page.goto("/runs?project=keys")
    expect(page.locator("tr[data-key]")).to_have_count(2)

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/key-2$"))
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")  # the scripts are there

    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("/runs/key-1$"))
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")

    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_hidden()

    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile("/runs$"))


def test_the_run_id_is_copied_and_it_is_said(page: Page, context: BrowserContext, viewer: Viewer):
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=viewer.url)
    finished_run(viewer, "copy-me")
    page.goto("/runs")
    row = page.locator('tr[data-run="copy-me"]')
    row.hover()

    row.get_by_role("button", name="Copy the run id").click()

    expect(page.locator("[data-announcer]")).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == "copy-me"


def test_the_value_of_a_metric_follows_its_run(page: Page, train: Train):
    script = train(
        """
        run = rn.init(project="valued", run_id="valued", capture_env=False, console=False)
        run.log({"loss": 0.5}, step=1)
        input()
        run.log({"loss": 0.125}, step=2)
        input()
        """
    )
    page.goto("/runs?project=valued&columns=metrics.loss.last")
    row = page.locator('tr[data-run="valued"]')
    expect(row).to_contain_text("0.5000")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    row.evaluate("row => { row.isTheSame = true; }")

    script.go_on()

    expect(row).to_contain_text("0.1250")
    assert row.evaluate("row => row.isTheSame")  # in its place, not by loading the table anew
