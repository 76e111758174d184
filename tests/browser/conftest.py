"""A real viewer and a real browser. A page that writes an error to the console fails its test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.command_line import running_viewer
from tests.components import chromium
from tests.training_scripts import start_script, wait_for_line

#: Nothing here may leave the machine, and the sandbox does not work as root.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A live change must be on the page within this.
LIVE_TIMEOUT_MS = 15_000
expect.set_options(timeout=LIVE_TIMEOUT_MS)


@dataclass(frozen=True)
class Viewer:
    url: str
    root: Path
    pid: int


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """`runicorn viewer` over a root that all tests share: each names its runs itself."""
    folder = tmp_path_factory.mktemp("viewer")
    root = folder / "root"
    with running_viewer("--storage", str(root), folder=folder) as command:
        yield Viewer(command.url, root, command.process.pid)


@pytest.fixture
def context(browser: Browser, viewer: Viewer) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=viewer.url, viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(LIVE_TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def errors() -> list[str]:
    """What pages complained about; a test that causes errors on purpose clears it."""
    return []


@pytest.fixture
def page(context: BrowserContext, errors: list[str]) -> Iterator[Page]:
    page = watched(context.new_page(), errors)
    yield page
    assert errors == []


def watched(page: Page, errors: list[str]) -> Page:
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


class Script:
    """A training script that goes on one part at a time: each ``input()`` in its code waits for ``go_on``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def wait_for(self, line: str) -> None:
        wait_for_line(self.process, line)


@pytest.fixture
def train(viewer: Viewer) -> Iterator[Callable[[str], Script]]:
    """Start a script against the viewer's root; ended with the test."""
    scripts: list[Script] = []

    def start(code: str) -> Script:
        scripts.append(Script(start_script(code, root=viewer.root)))
        return scripts[-1]

    yield start
    for script in scripts:
        script.process.kill()
        script.process.communicate()
