"""axe-core on every page, in both themes: nothing serious, contrast AA included."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Viewer
from tests.browser.test_every_page import PAGES, _one_run_and_one_problem  # noqa: F401 - the fixture that fills them

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = """async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
    const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
    return violations
        .filter((one) => ["serious", "critical"].includes(one.impact))
        .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(browser: Browser, viewer: Viewer, theme: str):
    context = browser.new_context(base_url=viewer.url, viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    found = {}
    for address in PAGES:
        page.goto(address)
        expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
        page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script of the page: its policy would refuse it
        if faults := page.evaluate(RULES):
            found[address] = faults
    context.close()

    assert found == {}
