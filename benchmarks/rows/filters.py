"""Filters of the query language over an index of 10,000 runs with 200 metrics each, against an empty answer."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from benchmarks.measurement import Row, median, percentile
from benchmarks.setting import Setting

FILTER = (
    'metrics.val_acc.max > {} and config.lr < 1e-3 and (tags has "baseline" or not status = failed)'
    ' and experiment ~ "resnet.*"'
)


def measure(setting: Setting) -> list[Row]:
    choose = random.Random(8)
    with setting.filled_index(setting.size(10_000, 1_000), 200) as server:
        client = server.client()
        times = []
        for _ in range(setting.size(60, 15)):
            query = urlencode({"filter": FILTER.format(round(choose.uniform(0.2, 1.8), 3)), "per_page": 50})
            times.append(client.timed_get(f"/api/v2/experiments?{query}"))
    detail = {"p95": percentile(times, 95)}
    return [Row("GET /api/v2/experiments, filter of four conditions", median(times), "ms", 200, detail)]
