"""The log of a run in a browser: following it, reading back, and losing the connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
from playwright.sync_api import Page, expect

from tests.browser.conftest import Script, Viewer

Train = Callable[[str], Script]

LOGGING = """
import time
run = rn.init(run_id="{run_id}", capture_env=False, console=False)
for number in range(2000):
    rn.log_text(f"old {{number}}")
print("ready", flush=True)
input()
for number in range(400):
    rn.log_text(f"new {{number}}")
    time.sleep(0.02)
input()
"""
DISTANCE_TO_END = "frame => Math.round(frame.scrollHeight - frame.scrollTop - frame.clientHeight)"


def open_log(page: Page, train: Train, run_id: str) -> Script:
    script = train(LOGGING.format(run_id=run_id))
    script.wait_for("ready")
    page.goto("/runs")
    page.locator(f'tr[data-run="{run_id}"] [data-open]').click()
    page.get_by_role("link", name="Logs").click()
    expect(lines(page).last).to_contain_text("| old 1999")
    return script


def lines(page: Page):
    return page.locator("[data-lines] > div")


def numbers(page: Page, word: str) -> list[int]:
    texts = (text.partition(" | ")[2].split() for text in lines(page).all_inner_texts())
    return [int(parts[1]) for parts in texts if parts[0] == word]


def test_the_log_follows_until_the_reader_scrolls_up(page: Page, train: Train):
    script = open_log(page, train, "followed")
    frame = page.locator("[data-lines]")
    assert frame.evaluate(DISTANCE_TO_END) == 0

    script.go_on()
    expect(lines(page).last).to_contain_text("| new")
    frame.hover()
    page.mouse.wheel(0, -800)
    expect(page.get_by_label("Follow")).not_to_be_checked()
    place = frame.evaluate("frame => frame.scrollTop")
    expect(lines(page).last).to_contain_text("| new 399")

    assert frame.evaluate("frame => frame.scrollTop") == place

    page.get_by_role("button", name="To the newest line").click()

    assert frame.evaluate(DISTANCE_TO_END) == 0
    expect(page.get_by_label("Follow")).to_be_checked()


def test_older_lines_come_when_the_reader_scrolls_to_them(page: Page, train: Train):
    open_log(page, train, "scrolled")
    assert numbers(page, "old")[0] == 1500

    for _ in range(3):
        page.locator("[data-lines]").evaluate("frame => { frame.scrollTop = 0; }")
        page.wait_for_timeout(400)

    expect(page.get_by_role("button", name="Older lines")).to_be_hidden()
    assert numbers(page, "old") == list(range(2000))


def test_no_line_is_lost_or_repeated_when_the_web_process_dies(
    page: Page, train: Train, viewer: Viewer, errors: list[str]
):
    script = open_log(page, train, "interrupted")
    script.go_on()
    expect(lines(page).last).to_contain_text("| new")

    (web,) = (child for child in psutil.Process(viewer.pid).children() if "serve" in child.cmdline())
    os.kill(web.pid, signal.SIGKILL)

    expect(page.locator(".live-state")).not_to_have_attribute("data-live-state", "connected")
    expect(lines(page).last).to_contain_text("| new 399", timeout=40_000)
    expect(page.locator(".live-state")).to_have_attribute("data-live-state", "connected")
    assert numbers(page, "new") == list(range(400))
    errors.clear()  # the browser reports each refused connection


def test_a_log_that_begins_while_the_page_is_open_is_shown(page: Page, train: Train):
    script = train("rn.init(run_id='begins', capture_env=False, console=False); input(); rn.log_text('first'); input()")
    page.goto("/runs")
    page.locator('tr[data-run="begins"] [data-open]').click()
    page.get_by_role("link", name="Logs").click()
    expect(page.get_by_text("No log lines yet")).to_be_visible()

    script.go_on()

    expect(lines(page)).to_have_count(1)
    expect(page.get_by_text("No log lines yet")).to_be_hidden()


def test_colours_of_the_terminal_are_shown_and_other_sequences_left_out(page: Page, train: Train):
    train(
        r"""
        rn.init(run_id="coloured", capture_env=False, console=False)
        rn.log_text("\x1b[1;31mred\x1b[0m plain\x1b[2K \x1b[38;5;200mfree\x1b[m <i>no markup</i>")
        input()
        """
    )
    page.goto("/runs")
    page.locator('tr[data-run="coloured"] [data-open]').click()
    page.get_by_role("link", name="Logs").click()

    expect(lines(page)).to_contain_text("| red plain free <i>no markup</i>")
    expect(page.locator(".ansi-red.ansi-bold")).to_have_text("red")
