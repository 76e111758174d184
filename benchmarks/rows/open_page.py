"""Pages that stay open while 20 runs log 10 points a second each: what the browser takes for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Page

from benchmarks.browser import browser_page
from benchmarks.measurement import Row
from benchmarks.setting import Home, Setting

RUNS, POINTS_A_SECOND = 20, 10
#: Until then caches and charts fill; what memory grows by is counted from there.
WARM_UP_S = 20


def measure(setting: Setting) -> list[Row]:
    root, home = setting.folder / "open-page", setting.home("open-page")
    root.mkdir()
    seconds = setting.size(300, 30)
    rows = []
    with setting.viewer(root, home) as viewer, _steady_trainers(home, root) as ids:
        time.sleep(3)  # the mirror has seen them
        for name, address in (
            ("comparison of 20 runs", f"/compare?runs={ids}&shown=20"),
            ("runs table", "/runs?columns=metrics.loss.last,metrics.acc.max"),
        ):
            with browser_page(viewer) as page:
                page.goto(address)
                page.locator("[data-chart] canvas, tr[data-key]").first.wait_for()
                rows += _open_for(page, name, seconds)
    return rows


@contextmanager
def _steady_trainers(home: Home, root: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.scripts.steady_trainers", str(root), str(RUNS), str(POINTS_A_SECOND)]
    process = subprocess.Popen(
        command, env=home.environment(root), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _open_for(page: Page, name: str, seconds: int) -> list[Row]:
    page.wait_for_timeout(WARM_UP_S * 1000)
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(answer.url))
    heap, cpu, begin = _heap_bytes(page), _browser_cpu_s(), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    if len(answers) < seconds / 10:
        raise RuntimeError(f"The page fetched {len(answers)} times in {seconds} s: it did not follow the runs.")
    cores = (_browser_cpu_s() - cpu) / (time.monotonic() - begin)
    after = _heap_bytes(page)
    of = f"{name}, open {seconds} s under {RUNS} runs × {POINTS_A_SECOND} points/s"
    return [
        Row(f"{of}: heap, at the end by at the start", after / heap, "×", 1.5, {"MB": [heap / 1e6, after / 1e6]}),
        Row("  the browser's share of a core", cores, "cores", 0.5, {"answers": len(answers)}),
    ]


def _heap_bytes(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))


def _browser_cpu_s() -> float:
    """Of all processes of the browser that this process started."""
    times = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "chromium" in process.name():
                times.append(sum(process.cpu_times()[:2]))
        except psutil.NoSuchProcess:
            continue
    return sum(times)
