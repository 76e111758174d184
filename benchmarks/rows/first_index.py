"""The mirror over many runs: the first index, a start with nothing changed, a tick."""

from __future__ import annotations

import time

import orjson

from benchmarks.measurement import Row, median, percentile, wait_until
from benchmarks.setting import INDEX_TIMEOUT_S, Setting, Viewer, run_script


def measure(setting: Setting) -> list[Row]:
    root, home = setting.many_runs, setting.home("first-index")
    viewer = Viewer(root, home)
    begin = time.perf_counter()
    try:
        viewer.start()
        wait_until(lambda: home.is_indexed, timeout_s=INDEX_TIMEOUT_S, what="The first index")
        first_s = time.perf_counter() - begin
    finally:
        viewer.stop()
    run_count = home.query("SELECT count(*) FROM experiments_run WHERE record_count = 20")[0][0]
    again = orjson.loads(run_script("mirror_ticks", "20", environment=home.environment(root)))
    detail = {"process_start_s": again["start_s"]}
    return [
        Row("first index, with the viewer's start", first_s, "s", 15, {"runs": run_count}),
        Row("start again with nothing changed", again["in_step_s"], "s", 1, detail),
        Row("event files opened by that", again["event_files_opened"], "", 0),
        Row("a mirror tick", median(again["ticks_ms"]), "ms", 50, {"p95": percentile(again["ticks_ms"], 95)}),
    ]
