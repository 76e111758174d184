"""One metric of a very long run reduced to 1,000 rows: arrays not read since the start, then again."""

from __future__ import annotations

import random

import orjson

from benchmarks.measurement import Row, median, percentile
from benchmarks.roots import LONG_RUN_ID, LONG_RUN_METRICS
from benchmarks.setting import Setting, touch


def measure(setting: Setting) -> list[Row]:
    root, home, choose = setting.long_run, setting.home("long"), random.Random(8)
    run = next(root.glob("*/*/runs/*"))
    cold, warm = [], []
    for _ in range(setting.size(9, 3)):
        with setting.viewer(root, home) as viewer:
            client = viewer.client()
            # what any first request loads, none of it this run's arrays
            client.get("/api/runs")
            client.get("/api/v2/experiments?per_page=1")
            cold.append(client.timed_get(_path(choose.choice(LONG_RUN_METRICS))))
    with setting.viewer(root, home) as viewer:
        client = viewer.client()
        for metric in LONG_RUN_METRICS:
            answer = orjson.loads(client.get(_path(metric)))
            assert len(answer["rows"]) > 900
            assert answer["total_rows"] == setting.size(1_000_000, 100_000)
        for _ in range(setting.size(100, 20)):
            touch(run)
            warm.append(client.timed_get(_path(choose.choice(LONG_RUN_METRICS))))
    return [
        Row("metrics/fast of one metric, cold", median(cold), "ms", 60, {"all": sorted(cold)}),
        Row("metrics/fast of one metric, warm", median(warm), "ms", 20, {"p95": percentile(warm, 95)}),
    ]


def _path(metric: str) -> str:
    return f"/api/v2/experiments/{LONG_RUN_ID}/metrics/fast?metric_names={metric}&downsample=1000"
