"""The picture of lineage with a real browser."""

from __future__ import annotations

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.artifacts.stored import new_run_id, write_lineage
from tests.browser.conftest import Viewer
from tests.training_scripts import wait_until


def is_in_the_middle(frame: Locator) -> bool:
    """Whether the box that the picture is about stands in the middle of its frame."""
    middle: bool = frame.evaluate("""frame => {
        const [outer, inner] = [frame, frame.querySelector("[aria-current]")].map(one => one.getBoundingClientRect());
        return Math.abs(outer.left + outer.width / 2 - inner.left - inner.width / 2) < 2;
    }""")
    return middle


def test_a_click_on_a_version_puts_it_in_the_middle(page: Page, viewer: Viewer):
    names = [f"lin-{letter}" for letter in "abcde"]
    for before, name in zip(["", *names], names, strict=False):
        write_lineage(viewer.root, new_run_id(), used=[f"{before}:1"] if before else [], made=[f"{name}:1"])
    wait_until(lambda: httpx.get(f"{viewer.url}/api/artifacts/lin-e/v1/lineage").status_code == 200)

    page.goto("/artifacts/lin-c/v1")
    page.get_by_role("link", name="Lineage").click()
    frame = page.locator("[data-centred]")
    expect(frame.locator("[aria-current]")).to_contain_text("lin-c:v1")
    assert is_in_the_middle(frame)

    frame.get_by_role("link", name="lin-d:v1").click()
    expect(page).to_have_url(f"{viewer.url}/artifacts/lin-d/v1/lineage")
    expect(frame.locator("[aria-current]")).to_contain_text("lin-d:v1")
    assert is_in_the_middle(frame)

    page.get_by_role("link", name="One generation less").click()
    expect(page.get_by_text("2 generations of versions each way")).to_be_visible()
    assert page.url.endswith("?depth=2")
