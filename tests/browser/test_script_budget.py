"""How much script a page loads: ours, and all of it as it would travel."""

from __future__ import annotations

import gzip

import httpx
import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Viewer
from tests.run_directories import write_run
from tests.training_scripts import wait_until

RUN_ID = "20250114_153045_budget"
OWN_BYTES, ALL_COMPRESSED_BYTES = 60_000, 250_000


@pytest.fixture(scope="module", autouse=True)
def _a_run(viewer: Viewer) -> None:
    records = [{"global_step": step, "loss": step} for step in range(5)]
    run_dir = write_run(viewer.root, f"budget/vit/runs/{RUN_ID}", records=records)
    (run_dir / "logs.txt").write_text("one\n")
    wait_until(lambda: "data-metric" in httpx.get(f"{viewer.url}/runs/{RUN_ID}").text)


@pytest.mark.parametrize(
    ("address", "ready"),
    [
        (f"/runs/{RUN_ID}", "[data-chart] canvas"),
        (f"/runs/{RUN_ID}/logs", ".is-numbered"),
        ("/runs", ".width-handle"),
        (f"/compare?runs={RUN_ID}", "[data-chart] canvas"),
    ],
)
def test_a_page_loads_little_script(page: Page, address: str, ready: str):
    scripts: list[Response] = []
    page.on("response", lambda answer: scripts.append(answer) if answer.request.resource_type == "script" else None)

    page.goto(address)
    expect(page.locator(ready).first).to_be_attached()
    page.wait_for_load_state("networkidle")

    bodies = {answer.url: answer.body() for answer in scripts}
    own = sum(len(body) for url, body in bodies.items() if "/static/experiments/" in url)
    compressed = sum(len(gzip.compress(body)) for body in bodies.values())
    assert own <= OWN_BYTES, {url.rpartition("/")[2]: len(body) for url, body in bodies.items()}
    assert compressed <= ALL_COMPRESSED_BYTES
