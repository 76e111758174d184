"""Ingesting a long run, against parsing its lines; and what the mirror writes for each byte that live runs log."""

from __future__ import annotations

import random
import time
from pathlib import Path

import orjson

from benchmarks import roots
from benchmarks.measurement import Row, wait_until
from benchmarks.setting import Setting, run_script

#: Live runs, and how many rows a second each of them logs.
LOADS = {"one run logging 1,000 rows/s": (1, 1000), "20 runs logging 4 rows/s": (20, 4)}
#: Rows are written that often.
PERIOD_S = 0.05


def measure(setting: Setting) -> list[Row]:
    events = next(setting.long_run.glob("*/*/runs/*/events.jsonl"))
    ratios, details = [], []
    for attempt in range(setting.size(3, 1)):
        environment = setting.home(f"ingest-{attempt}").environment(setting.long_run)
        bare_s = _parse_s(events)
        ingest_s = orjson.loads(run_script("mirror_ticks", "0", environment=environment))["in_step_s"]
        ratios.append(ingest_s / bare_s)
        details.append({"ingest_s": ingest_s, "bare_s": bare_s})
    best = ratios.index(sorted(ratios)[len(ratios) // 2])
    return [
        Row("ingest of a long run, against orjson.loads of its lines", ratios[best], "×", 2.5, details[best]),
        *(_written_live(setting, name, *load) for name, load in LOADS.items()),
    ]


def _parse_s(events: Path) -> float:
    begin = time.perf_counter()
    with open(events, "rb") as lines:
        for line in lines:
            orjson.loads(line)
    return time.perf_counter() - begin


def _written_live(setting: Setting, name: str, run_count: int, rows_a_second: int) -> Row:
    """Bytes that the mirror process hands to the kernel, WAL and checkpoints included, a byte of events."""
    root = setting.folder / f"live-{run_count}"
    roots.many_runs(root, run_count=run_count)
    runs = sorted(root.glob("*/*/runs/*"))
    for run in runs:
        roots.set_running(run)
    records = "SELECT sum(record_count) FROM experiments_run"
    with setting.viewer(root, setting.home(root.name)) as viewer:
        mirror = viewer.child("mirror")
        before = mirror.io_counters().write_chars
        logged, row_count = _log_live(runs, rows_a_second, setting.size(30, 8))
        expected = run_count * (roots.POINTS + row_count)
        wait_until(lambda: viewer.home.query(records) == [(expected,)], timeout_s=60, what="Ingesting live rows")
        written = mirror.io_counters().write_chars - before
    detail = {"written": written, "logged": logged}
    # the limit is for a run that logs much: each row of a slow one costs its page of the index
    limit = 6 if run_count == 1 else None
    return Row(f"bytes written to the index an event byte, {name}", written / logged, "×", limit, detail)


def _log_live(runs: list[Path], rows_a_second: int, seconds: float) -> tuple[int, int]:
    """Append to each run evenly for so long. Returns the bytes of all and the rows of each."""
    choose = random.Random(7)
    begin, logged, row_count = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - begin) < seconds:
        due = int(elapsed * rows_a_second)
        steps = range(roots.POINTS + row_count + 1, roots.POINTS + due + 1)
        for run in runs if steps else ():
            lines = [roots.event_line(step, time.time(), roots.LONG_RUN_METRICS, choose) for step in steps]
            with open(run / "events.jsonl", "ab") as events:
                logged += events.write(b"".join(lines))
        row_count = due
        time.sleep(PERIOD_S)
    return logged, row_count
