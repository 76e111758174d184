"""What holds for every page: no errors, nothing wider than the window, both themes, both languages."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.models import ReferenceEntry
from tests.artifacts.stored import log_version, place_of, write_lineage
from tests.browser.conftest import Viewer, watched
from tests.experiments.pages.test_writing_of_values import AGES, DURATIONS, NUMBERS
from tests.run_directories import RUN_ID, write_run
from tests.training_scripts import wait_until

NET = "net-" * 25
OTHER_RUN = "20250114_153045_a1b2c9"
PAGES = (
    "/",
    "/runs",
    "/runs?filter=nothing",
    "/runs?filter=config.lr <",
    "/runs?group=status,experiment&columns=config.nested.deep.deeper,metrics.loss.min",
    "/problems",
    "/recycle-bin",
    "/settings",
    "/artifacts",
    "/artifacts?q=nothing",
    *(f"/artifacts/{NET}{tab}" for tab in ("", "/v1/metadata", "/v1/compare", "/v1/lineage")),
    *(
        f"/compare{tab}?runs={RUN_ID},{OTHER_RUN},not-there"
        for tab in ("", "/table", "/parallel", "/scatter", "/images", "/logs")
    ),
    "/compare",
    *(f"/runs/{RUN_ID}{tab}" for tab in ("", "/overview", "/logs", "/media", "/artifacts", "/alerts", "/files")),
)
WIDER = """() => document.documentElement.scrollWidth > innerWidth"""


@pytest.fixture(scope="module", autouse=True)
def _one_run_and_one_problem(viewer: Viewer) -> None:
    run_dir = write_run(
        viewer.root,
        meta={"tags": ["a-very-long-tag-" * 20], "notes": "word" * 400},
        config={"key-" * 80: "value-" * 400, "nested": {"deep": {"deeper": [1, {"x": None}]}}},
        records=[{"global_step": step, "metric-name/" + "long" * 60: step, "loss": 1.5} for step in range(50)],
    )
    (run_dir / "logs.txt").write_text("10:00:00 | " + "wide" * 500 + "\n", encoding="utf-8")
    (run_dir / "summary.json").write_text("{broken", encoding="utf-8")
    (run_dir.parent).touch()
    write_lineage(viewer.root, OTHER_RUN, used=[f"{NET}:1"], made=["report-" * 14 + ":1"])
    reference = ReferenceEntry("s3://" + "bucket-" * 40)
    files = {"deep/" + "er/" * 60 + "best.pt": b"1"}
    log_version(viewer.root, files, name=NET, tags=("tag-" * 24,), references=[reference])
    log_version(viewer.root, {"w": b"2"}, name=NET, metadata={"key-" * 80: "value-" * 400}, description="word" * 400)
    set_alias(place_of(viewer.root, NET), 1, "alias-" * 16, at=9.0)
    # the link is there from the first page that is loaded after the mirror has seen the problem
    wait_until(lambda: ">Problems" in httpx.get(f"{viewer.url}/runs").text)
    wait_until(lambda: httpx.get(f"{viewer.url}/api/artifacts").json())


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1024, 1600])
def test_every_page_opens_cleanly(browser: Browser, viewer: Viewer, width: int, theme: str, language: str):
    errors: list[str] = []
    context = browser.new_context(
        base_url=viewer.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
    )
    page = watched(context.new_page(), errors)

    for address in PAGES:
        page.goto(address)
        expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
        assert not page.evaluate(WIDER), address
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans" if language == "zh-CN" else "en")
        expect(page.locator("h1")).to_have_count(1)

    context.close()
    assert errors == []


def test_the_theme_is_remembered(page: Page):
    page.goto("/runs")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.goto(f"/runs/{RUN_ID}")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_theme_of_the_settings_can_be_that_of_the_system_again(page: Page):
    page.goto("/settings")
    page.get_by_label("Theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.get_by_label("Theme")).to_have_value("dark")

    page.get_by_label("Theme").select_option("")
    page.emulate_media(color_scheme="light")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_language_of_the_settings_is_that_of_every_page(page: Page):
    page.goto("/settings")
    page.locator("select[name=language]").select_option("zh-hans")

    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    expect(page.locator("select[name=language]")).to_have_value("zh-hans")


def test_the_language_is_remembered_and_the_page_stays_the_same(page: Page, viewer: Viewer):
    page.goto("/runs?project=vision")

    page.get_by_role("button", name="中文").click()

    expect(page).to_have_url(f"{viewer.url}/runs?project=vision")
    expect(page.get_by_role("columnheader", name="状态")).to_be_visible()
    page.goto(f"/runs/{RUN_ID}")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_an_unknown_address_is_a_page(page: Page, errors: list[str]):
    page.goto("/nowhere")

    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    errors.clear()  # the browser reports the 404


def test_scripts_write_values_as_the_server_does(page: Page):
    page.goto("/runs")
    skew = page.evaluate("async () => (await import('/static/experiments/format.js')).now() - Date.now() / 1000")
    write = """async ([name, texts]) => {
        const format = await import('/static/experiments/format.js');
        return texts.map(text => format[name](Number(text)));
    }"""

    def written(name: str, values: list[float]) -> list[str]:
        texts = [repr(value).replace("nan", "NaN").replace("inf", "Infinity") for value in values]
        result: list[str] = page.evaluate(write, [name, texts])
        return result

    numbers = [(value, text) for value, text in NUMBERS if value is not None]
    assert written("number", [value for value, _ in numbers]) == [text for _, text in numbers]
    assert written("duration", [seconds for seconds, _ in DURATIONS]) == [text for _, text in DURATIONS]
    page_now = time.time() + skew
    # ages on the edge between two words may fall on either side while the clock goes on
    ages = [(age, text) for age, text in AGES if age % 60 in (1, 59) or age == 0]
    assert written("ago", [page_now - age for age, _ in ages]) == [text for _, text in ages]


def test_the_page_keeps_what_it_shows_when_the_connection_is_lost(page: Page, errors: list[str]):
    page.goto(f"/runs/{RUN_ID}")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")

    page.route_web_socket("**/live/ws", lambda socket: socket.close())
    page.reload()

    expect(page.locator("[data-offline]")).to_be_visible(timeout=20_000)
    expect(page.locator('[data-metric="loss"]')).to_contain_text("1.500")
    errors.clear()
