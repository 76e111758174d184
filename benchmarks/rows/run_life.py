"""How long init() and finish() take until they return, each time in a fresh process."""

from __future__ import annotations

import orjson

from benchmarks.measurement import Row, median, percentile
from benchmarks.setting import Setting, run_script


def measure(setting: Setting) -> list[Row]:
    root = setting.folder / "run-life"
    environment = setting.home("library").environment(root)
    lives = [
        orjson.loads(run_script("run_life", str(root), environment=environment)) for _ in range(setting.size(20, 5))
    ]
    rows = []
    for name, limit in (("init", 50), ("finish", 20)):
        samples = [life[f"{name}_ms"] for life in lives]
        rows.append(Row(f"{name}() until it returns", median(samples), "ms", limit, {"p95": percentile(samples, 95)}))
    return rows
