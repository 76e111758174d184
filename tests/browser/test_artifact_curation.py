"""What people do on the page of a version, with a real browser."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Page, Route, expect

from runicorn.artifacts.curation import set_alias
from tests.artifacts.stored import log_version, place_of
from tests.browser.conftest import Viewer
from tests.training_scripts import wait_until

NAME = "curated"


def log(viewer: Viewer, name: str) -> None:
    for minute in range(2):
        log_version(viewer.root, {"w": b"%d" % minute}, name=name, minute=minute)
    wait_until(lambda: name in httpx.get(f"{viewer.url}/api/artifacts").text)
    wait_until(lambda: httpx.get(f"{viewer.url}/artifacts/{name}/v2").status_code == 200)


def test_a_version_is_described_promoted_deleted_and_gone_by_keyboard(page: Page, viewer: Viewer):
    log(viewer, NAME)
    page.goto(f"/artifacts/{NAME}/v1")

    page.locator(".actions summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Description", exact=True).fill("Two layers")
    page.keyboard.press("Tab")
    page.keyboard.type("ship, small")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{NAME}:v1 saved.")).to_be_visible()
    expect(page.locator(".artifact-description")).to_have_text("Two layers")
    expect(page.get_by_role("link", name="small")).to_be_visible()

    page.get_by_label("Move to").select_option("staging")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".facts")).to_contain_text("staging")
    page.get_by_label("Alias", exact=True).fill("best")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("best")
    page.get_by_role("button", name="Remove the alias best").click()
    expect(page.locator("h1")).not_to_contain_text("best")

    page.get_by_role("button", name="Move to the recycle bin").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text(f"{NAME}:v1 restored.")).to_be_visible()
    page.get_by_role("button", name="Move to the recycle bin").click()
    page.get_by_role("button", name="Delete for ever…").click()
    expect(page.locator(".notice-damage")).to_contain_text(f"{NAME}:v1 and its 1 file")
    page.get_by_role("button", name="Delete for ever").click()

    expect(page).to_have_url(f"{viewer.url}/artifacts/{NAME}")
    expect(page.get_by_text(f"{NAME}:v1 deleted for ever")).to_be_visible()
    assert list(place_of(viewer.root, NAME).version_folders()) == [2]


def test_a_live_change_leaves_what_somebody_is_typing(page: Page, viewer: Viewer):
    name = f"{NAME}-live"
    log(viewer, name)
    page.goto(f"/artifacts/{name}/v1")
    page.locator(".actions summary").click()
    page.get_by_label("Reason").fill("not finished")
    page.locator("h1").click()  # elsewhere

    set_alias(place_of(viewer.root, name), 1, "meanwhile", at=9.0)
    page.wait_for_timeout(5_000)
    expect(page.get_by_label("Reason")).to_have_value("not finished")

    page.get_by_label("Reason").fill("")
    page.locator("h1").click()
    expect(page.locator("h1")).to_contain_text("meanwhile")
    expect(page.locator(".actions")).to_have_attribute("open", "")


def test_without_scripts_the_forms_work(viewer: Viewer, page: Page):
    name = f"{NAME}-plain"
    log(viewer, name)
    assert page.context.browser is not None
    context = page.context.browser.new_context(base_url=viewer.url, java_script_enabled=False, locale="en-US")
    plain = context.new_page()

    plain.goto(f"/artifacts/{name}/v1")
    plain.locator(".actions summary").click()
    plain.get_by_label("Alias", exact=True).fill("latest")
    plain.get_by_role("button", name="Set", exact=True).click()
    expect(plain.get_by_role("alert")).to_contain_text("always names the newest version")
    plain.get_by_label("Alias", exact=True).fill("best")
    plain.get_by_role("button", name="Set", exact=True).click()

    expect(plain.get_by_role("status")).to_contain_text([f"best names {name}:v1."])
    context.close()


def test_what_is_typed_while_a_live_answer_is_on_its_way_stays(page: Page, viewer: Viewer):
    log(viewer, "raced")
    page.goto("/artifacts/raced/v1")
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    page.locator(".actions summary").click()
    page.locator(".top-bar").click(position={"x": 600, "y": 5})  # the part is not in use yet
    held: list[Route] = []
    page.route(re.compile(r"/artifacts/raced/v1"), lambda route: held.append(route))

    with page.expect_request(re.compile(r"/artifacts/raced/v1")):
        set_alias(place_of(viewer.root, "raced"), 1, "candidate", at=9.0)
    page.get_by_label("Description", exact=True).fill("typed meanwhile")
    for route in held:
        route.continue_()
    held.clear()
    page.wait_for_timeout(500)

    expect(page.get_by_label("Description", exact=True)).to_have_value("typed meanwhile")
