"""Pages in a real Chromium, timed from the click to what a reader sees."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from benchmarks.setting import Viewer

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
TIMEOUT_MS = 30_000


@contextmanager
def browser_page(viewer: Viewer) -> Iterator[Page]:
    """An open page whose addresses begin at the viewer. Raises RuntimeError if there is no Chromium."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{viewer.port}", viewport={"width": 1440, "height": 900}
        )
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        yield page
        browser.close()


def opened_ms(page: Page, address: str, condition: str) -> float:
    """Milliseconds from the start of the navigation until the script ``condition`` holds."""
    page.goto("about:blank")
    return _until(page, lambda: page.goto(address, wait_until="commit"), condition)


def changed_ms(page: Page, action: str, condition: str) -> float:
    """Milliseconds from the script ``action`` until ``condition`` holds, looked at in each frame."""
    script = f"""() => new Promise((resolve) => {{
        const begin = performance.now();
        const look = () => (({condition}) ? resolve(performance.now() - begin) : requestAnimationFrame(look));
        ({action});
        requestAnimationFrame(look);
    }})"""
    return float(page.evaluate(script))


def _until(page: Page, action: object, condition: str) -> float:
    begin = time.perf_counter()
    action()  # type: ignore[operator]
    page.wait_for_function(f"() => {condition}", polling="raf")
    return (time.perf_counter() - begin) * 1000
