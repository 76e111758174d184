"""The log of a run in a browser: following it, reading back, and losing the connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
from playwright.sync_api import Page, expect

from tests.browser.conftest import Script, Viewer
from tests.run_directories import write_run

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


def scroll_until(page: Page, place: str, condition: Callable[[], bool]) -> None:
    for _ in range(150):
        page.locator("[data-lines]").evaluate(f"frame => {{ frame.scrollTop = {place}; }}")
        page.wait_for_timeout(150)
        if condition():
            return


def test_the_log_follows_until_the_reader_scrolls_up(page: Page, train: Train):
    script = open_log(page, train, "followed")
    frame = page.locator("[data-lines]")
    expect(page.locator(".is-numbered")).to_be_visible()
    assert frame.evaluate(DISTANCE_TO_END) == 0

    script.go_on()
    expect(lines(page).last).to_contain_text("| new")
    frame.hover()
    page.mouse.wheel(0, -800)
    expect(page.get_by_label("Follow")).not_to_be_checked()
    place = frame.evaluate("frame => frame.scrollTop")
    page.wait_for_timeout(1000)  # lines go on coming

    assert frame.evaluate("frame => frame.scrollTop") == place

    page.get_by_role("button", name="To the newest line").click()

    expect(lines(page).last).to_contain_text("| new 399", timeout=20_000)
    assert frame.evaluate(DISTANCE_TO_END) == 0
    expect(page.get_by_label("Follow")).to_be_checked()


def test_older_lines_come_when_the_reader_scrolls_to_them(page: Page, train: Train):
    open_log(page, train, "scrolled")
    assert numbers(page, "old")[0] == 1500

    scroll_until(page, "0", lambda: numbers(page, "old")[0] == 0)

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


def open_written(page: Page, viewer: Viewer, run_id: str, text: str, **files: str) -> None:
    run_dir = write_run(viewer.root, f"vision/vit/runs/{run_id}")
    for name, content in {"logs.txt": text, **files}.items():
        (run_dir / name).write_text(content, encoding="utf-8")
    page.goto("/runs")
    page.locator(f'tr[data-run="{run_id}"] [data-open]').click()
    page.get_by_role("link", name="Logs").click()
    expect(page.locator(".log-lines.is-numbered")).to_be_visible()


def numbered(count: int) -> str:
    return "".join(
        f"10:00:00 | line {number} {'needle' if number % 4000 == 7 else ''}\n" for number in range(1, count + 1)
    )


def test_any_line_of_a_long_log_has_a_link_that_shows_it(page: Page, viewer: Viewer):
    open_written(page, viewer, "linked", numbered(20_000))
    target = page.locator("[data-lines] > .is-target")

    page.get_by_label("Line number").fill("12345")
    page.keyboard.press("Enter")
    expect(target).to_have_text("10:00:00 | line 12345 ")
    expect(target).to_be_in_viewport()
    page.locator("[data-lines] > div", has_text="| line 12350 ").click(position={"x": 10, "y": 8})
    assert page.url.endswith("/logs#L12350")
    page.reload()

    expect(target).to_have_text("10:00:00 | line 12350 ")
    expect(target).to_be_in_viewport()
    expect(page.get_by_label("Follow")).not_to_be_checked()
    page.goto(page.url.replace("12350", "3"))
    expect(target).to_have_text("10:00:00 | line 3 ")


def test_a_reader_who_scrolls_through_a_long_log_meets_every_line_once(page: Page, viewer: Viewer):
    open_written(page, viewer, "walked", numbered(9000))
    page.get_by_label("Line number").fill("3000")
    page.keyboard.press("Enter")
    expect(page.locator(".is-target")).to_be_in_viewport()

    scroll_until(page, "frame.scrollHeight", lambda: numbers(page, "line")[-1] == 9000)
    shown = numbers(page, "line")

    assert shown == list(range(shown[0], 9001))
    assert len(shown) <= 5000  # older ones have left
    assert (
        page.evaluate("getComputedStyle(document.querySelector('[data-lines]')).counterReset") == f"line {shown[0] - 1}"
    )
    scroll_until(page, "0", lambda: numbers(page, "line")[0] == 1)
    shown = numbers(page, "line")
    assert shown == list(range(1, shown[-1] + 1))


def test_the_whole_log_is_searched_and_a_hit_leads_to_its_line(page: Page, viewer: Viewer, errors: list[str]):
    open_written(page, viewer, "searched", numbered(20_000))
    hits = page.locator("[data-log-hits] button")

    page.get_by_label("Search the whole log").fill(r"NEEDLE")
    page.keyboard.press("Enter")
    expect(hits).to_have_count(5)
    expect(page.locator("[data-log-found-state]")).to_have_text("5 lines")
    page.keyboard.press("Enter")
    expect(page.locator(".is-target")).to_have_text("10:00:00 | line 7 needle")
    page.keyboard.press("Enter")
    expect(page.locator(".is-target")).to_have_text("10:00:00 | line 4007 needle")
    hits.last.click()
    expect(page.locator(".is-target")).to_have_text("10:00:00 | line 16007 needle")

    page.get_by_label("Regex").check()
    page.get_by_label("Search the whole log").fill(r"line \d{2} ")
    page.keyboard.press("Enter")
    expect(hits).to_have_count(90)
    page.get_by_label("Search the whole log").fill("(")
    page.keyboard.press("Enter")
    expect(page.locator("[data-log-state]")).to_contain_text("not understood")
    errors.clear()  # the browser reports the refusal


def test_the_bar_beside_the_log_leads_through_the_whole_file(page: Page, viewer: Viewer):
    open_written(page, viewer, "tracked", numbered(20_000))
    track = page.get_by_label("Place in the file")
    expect(track).to_have_value("1000")

    track.fill("500")
    expect(page.locator(".is-target")).to_be_in_viewport()
    middle = numbers(page, "line")
    track.fill("1000")
    expect(lines(page).last).to_contain_text("| line 20000")

    assert middle[0] < 10_300 < middle[-1]
    expect(page.get_by_label("Follow")).to_be_checked()


def test_a_time_leads_to_what_was_written_then(page: Page, viewer: Viewer):
    text, index, offset = "", "", 0
    for number in range(3000):
        index += f'{{"ts": {1736868645 + number}, "offset": {offset}}}\n'
        text += f"10:00:00 | line {number}\n"
        offset = len(text)
    open_written(page, viewer, "timed", text, **{"logs.index.jsonl": index})

    local = page.evaluate(
        "s => new Date((s - new Date(s * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19)",
        1736868645 + 1234,
    )
    page.get_by_label("Time", exact=True).fill(local)
    page.get_by_role("button", name="Go", exact=True).click()

    expect(page.locator(".is-target")).to_have_text("10:00:00 | line 1234")


def test_states_of_a_progress_bar_are_one_line_that_unfolds(page: Page, viewer: Viewer):
    bar = "".join(f"Epoch 1: {share:3d}%|####| {share}/100 [00:10<00:20]\n" for share in range(0, 101, 10))
    open_written(page, viewer, "barred", f"begin\n{bar}end\n")
    visible = page.locator("[data-lines] > div:not(.is-passed)")

    assert [text.split("\n")[0][:13] for text in visible.all_inner_texts()] == ["begin", "Epoch 1: 100%", "end"]
    page.get_by_title("10 earlier states of this progress bar").click()

    expect(lines(page).nth(3)).to_be_visible()
    assert lines(page).nth(3).bounding_box()["height"] > 10


def test_the_log_of_another_host_is_chosen_by_its_file(page: Page, viewer: Viewer):
    open_written(page, viewer, "hosts", "here\n", **{"logs.gpu2-77.txt": "there\n"})

    page.get_by_label("File", exact=True).select_option("logs.gpu2-77.txt")

    expect(lines(page)).to_have_text(["there"])


def test_a_log_that_is_written_anew_is_shown_anew(page: Page, viewer: Viewer):
    open_written(page, viewer, "anew", "one\ntwo\nthree\n")

    (viewer.root / "vision/vit/runs/anew/logs.txt").write_text("other\n")

    expect(lines(page)).to_have_text(["other"], timeout=10_000)


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
