"""The tab of artifacts on a run's page with a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Script, Viewer

CODE = """
run = rn.init(project="vision", name="vit", run_id="makes-artifacts", capture_env=False)
open("tabbed.bin", "w").write("weights")
input()
run.log_artifact(rn.Artifact("tabbed", "model").add_file("tabbed.bin"))
input()
"""


def test_a_version_that_the_run_logs_appears_and_leads_to_its_page(
    page: Page, viewer: Viewer, train: Callable[[str], Script]
):
    script = train(CODE)
    page.goto("/runs")
    page.locator('tr[data-run="makes-artifacts"] [data-open]').click()
    page.locator(".tabs").get_by_role("link", name="Artifacts").click()
    expect(page.get_by_text("This run created and used no artifacts")).to_be_visible()

    script.go_on()

    page.get_by_role("link", name="tabbed v1").click()
    expect(page).to_have_url(f"{viewer.url}/artifacts/tabbed/v1")
