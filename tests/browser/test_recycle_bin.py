"""The recycle bin's page with a real browser."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import Viewer
from tests.run_directories import write_run
from tests.training_scripts import wait_until

RUNS = [f"20250114_153045_bb000{number}" for number in range(2)]


def test_a_run_is_restored_and_another_deleted_for_ever(page: Page, viewer: Viewer):
    first, second = RUNS
    for run_id in RUNS:
        write_run(viewer.root, f"binned/line/runs/{run_id}")
    wait_until(lambda: len(httpx.get(f"{viewer.url}/api/runs?project=binned").json()) == 2)
    httpx.post(f"{viewer.url}/api/runs/soft-delete", json={"run_ids": RUNS})

    page.goto("/runs")
    page.get_by_role("link", name="Recycle bin").click()
    page.get_by_label(first).check()
    page.get_by_role("button", name="Restore the chosen").click()
    expect(page.get_by_text("1 run restored.")).to_be_visible()
    expect(page.get_by_label(first)).to_have_count(0)

    page.get_by_text(second).click()
    page.get_by_role("button", name="Delete the chosen for ever…").click()
    expect(page.locator(".notice-damage")).to_contain_text("KB on disk")
    page.get_by_role("button", name="Delete for ever").click()

    expect(page.get_by_text("1 run deleted for ever.")).to_be_visible()
    folder = viewer.root / "binned" / "line" / "runs"
    assert [path.name for path in folder.iterdir()] == [first]
