"""A log of a gigabyte in a real Chromium: opened at its end, at a line in its middle, and searched."""

from __future__ import annotations

from pathlib import Path

from benchmarks import roots
from benchmarks.browser import browser_page, opened_ms
from benchmarks.measurement import Row, median
from benchmarks.setting import Setting

REPETITIONS = 5
LOG_BYTES = 1_000_000_000
LINE = "12:00:00 | step {:09d}: loss 0.123456, acc 0.912345, lr 0.000300, 1234.5 images/s, {}\n"
LINES_AT_ONCE = 20_000
SHOWN = "document.querySelectorAll('[data-lines] > div').length >= 300"


def measure(setting: Setting) -> list[Row]:
    root = setting.folder / "long-log"
    directory = roots.run_with_documents(root)
    size = setting.size(LOG_BYTES, LOG_BYTES // 20)
    lines = _write_log(directory / "logs.txt", size)
    address = f"/runs/{directory.name}/logs"
    with setting.viewer(root, setting.home("long-log")) as viewer, browser_page(viewer) as page:
        first = opened_ms(page, address, SHOWN)
        in_middle_first = opened_ms(page, f"{address}#L{lines // 2}", "document.querySelector('.is-target')")
        opened = [opened_ms(page, address, SHOWN) for _ in range(REPETITIONS)]
        in_middle = [
            opened_ms(page, f"{address}#L{lines * number // 7}", "document.querySelector('.is-target')")
            for number in range(1, 1 + REPETITIONS)
        ]
        client = viewer.client()
        searched, start = 0.0, 0
        while start < size:
            searched += client.timed_get(f"/runs/{directory.name}/logs.found?q=never&from={start}")
            start += 64 << 20
    return [
        Row(f"log of {size / 1e9:g} GB: opened at its end", median(opened), "ms", 500, {"first": first, "all": opened}),
        Row("  at a line in it, by its link", median(in_middle), "ms", 500, {"first": in_middle_first}),
        Row("  searched from end to end for what is not there", searched / 1000, "s", 10),
    ]


def _write_log(path: Path, size: int) -> int:
    """Write lines up to ``size`` bytes; how many there are."""
    count = 0
    with path.open("w", encoding="ascii") as log:
        while log.tell() < size:
            log.write("".join(LINE.format(count + more, "x" * (more % 30)) for more in range(LINES_AT_ONCE)))
            count += LINES_AT_ONCE
    return count
