"""The runs table and the charts in a real Chromium, over indexes of many runs and of long ones."""

from __future__ import annotations

import gzip
from urllib.parse import quote

from playwright.sync_api import Page

from benchmarks.browser import browser_page, changed_ms, opened_ms
from benchmarks.measurement import Row, median, percentile
from benchmarks.setting import Setting, Viewer

REPETITIONS = 5
#: Rows are there, and the scripts that make them work: the handles of the columns are made last.
TABLE_IS_READY = "document.querySelectorAll('tr[data-key]').length >= 50 && document.querySelector('.width-handle')"
FILTER = "metrics.val_acc.max > 0.{} and config.lr < 1e-2"


def measure(setting: Setting) -> list[Row]:
    rows = []
    with setting.filled_index(setting.size(10_000, 1_000), 200) as viewer:
        rows += _table(viewer, "10,000 runs × 200 metrics", open_limit=700, change_limit=300)
    with setting.filled_index(setting.size(100_000, 5_000), 15, names=1_500) as viewer:
        rows += _table(viewer, "100,000 runs, 1,500 metric names", open_limit=1200, change_limit=500)
    with setting.filled_index(1, 40, records=setting.size(1_000_000, 100_000)) as viewer:
        rows.append(_run_page(viewer))
    with setting.filled_index(100, 2, records=setting.size(100_000, 10_000)) as viewer:
        rows += _comparison(viewer)
    return rows


def _table(viewer: Viewer, of: str, *, open_limit: float, change_limit: float) -> list[Row]:
    with browser_page(viewer) as page:
        opened_ms(page, "/runs", TABLE_IS_READY)
        opened = [opened_ms(page, "/runs", TABLE_IS_READY) for _ in range(REPETITIONS)]
        sorted_by = [_sort(page, name) for name in ("duration", "best", "created", "metrics.val_acc.max")]
        filtered = [_filter(page, FILTER.format(number)) for number in range(3, 3 + REPETITIONS)]
    return [
        Row(f"runs table of {of}: to interactive", median(opened), "ms", open_limit, {"all": opened}),
        Row("  changed order", median(sorted_by), "ms", change_limit, {"all": sorted_by}),
        Row("  changed filter", median(filtered), "ms", change_limit, {"all": filtered}),
    ]


def _sort(page: Page, name: str) -> float:
    if name.startswith("metrics."):
        opened_ms(page, f"/runs?columns={name}", TABLE_IS_READY)
    selector = f'[data-column="{name}"]'
    before = page.locator(selector).get_attribute("aria-sort")
    return changed_ms(
        page,
        f"document.querySelector('{selector} a').click()",
        f"document.querySelector('{selector}')?.getAttribute('aria-sort') !== {before!r}".replace("None", "null")
        + f" && {TABLE_IS_READY}",
    )


def _filter(page: Page, text: str) -> float:
    """From what htmx sends after the pause in typing until the table is another one."""
    address = f"/runs?filter={quote(text)}"
    return changed_ms(
        page,
        f"htmx.ajax('GET', '{address}', {{target: '#runs', swap: 'outerHTML'}})",
        f"document.querySelector('[data-filters]')?.dataset.text === '{text}' && {TABLE_IS_READY}",
    )


def _run_page(viewer: Viewer) -> Row:
    drawn = "document.querySelectorAll('[data-chart] canvas').length >= 3"
    address = "/runs/20250114_120000_000000"
    with browser_page(viewer) as page:
        first = opened_ms(page, address, drawn)
        opened = [opened_ms(page, address, drawn) for _ in range(REPETITIONS)]
        page.evaluate(LONG_FRAMES)
        for _ in range(60):
            page.mouse.wheel(0, 120)
            page.wait_for_timeout(30)
        page.wait_for_timeout(1000)
        frames = page.evaluate("() => window.longFrames")
    detail = {"first_of_process": first, "frames_over_50_ms_while_scrolling": frames}
    return Row("run page, 40 charts of 1,000,000 steps: first charts", median(opened), "ms", 1000, detail)


LONG_FRAMES = """() => {
    window.longFrames = [];
    const note = (list) => window.longFrames.push(...list.getEntries().map((one) => Math.round(one.duration)));
    new PerformanceObserver(note).observe({ entryTypes: ["longtask"] });
}"""


def _comparison(viewer: Viewer) -> list[Row]:
    ids = ",".join(f"20250114_120000_{number:06x}" for number in range(100))
    address = f"/compare?runs={ids}&shown=100&match=%5Eval_acc%24"
    answer = f"/compare.json?runs={ids}&metric=val_acc&points=500"
    drawn = "document.querySelector('[data-metric=\"val_acc\"] canvas')"
    with browser_page(viewer) as page:
        opened_ms(page, address, drawn)
        opened = [opened_ms(page, address, drawn) for _ in range(REPETITIONS)]
    client = viewer.client()
    size = len(gzip.compress(client.get(answer), compresslevel=3))
    answered = [client.timed_get(answer) for _ in range(REPETITIONS)]
    detail = {"all": opened, "answer_ms": median(answered), "answer_p95_ms": percentile(answered, 95)}
    return [
        Row("compare 100 runs × 100,000 points: drawn, warm", median(opened), "ms", 1000, detail),
        Row("  its answer, compressed", size / 1e6, "MB", 1),
    ]
