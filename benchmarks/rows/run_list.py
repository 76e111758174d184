"""GET /api/runs, the list of all runs, against reading the same columns and encoding them."""

from __future__ import annotations

import random
import sqlite3

import orjson

from benchmarks.measurement import Row, median, milliseconds, percentile
from benchmarks.setting import Home, Setting, touch

COLUMNS = (
    "run_id, path, created_at, status, pid, best_metric_value, best_metric_name, project, name, ended_at, tags,"
    " artifacts_created_count, artifacts_used_count, root_id"
)


def measure(setting: Setting) -> list[Row]:
    root, home, choose = setting.many_runs, setting.home("many"), random.Random(4)
    runs = list(root.glob("*/*/runs/*"))
    repetitions = setting.size(30, 8)
    answered, bare = [], []
    with setting.viewer(root, home) as viewer:
        client = viewer.client()
        assert len(orjson.loads(client.get("/api/runs"))) == len(runs)
        for _ in range(repetitions):
            touch(choose.choice(runs))
            answered.append(client.timed_get("/api/runs"))
            bare.append(_bare_ms(home))
    detail = {"list_ms": median(answered), "bare_ms": median(bare), "list_p95_ms": percentile(answered, 95)}
    return [Row("GET /api/runs, against sqlite3 and orjson", median(answered) / median(bare), "×", 3, detail)]


def _bare_ms(home: Home) -> float:
    connection = sqlite3.connect(f"file:{home.index}?mode=ro", uri=True)
    try:
        return milliseconds(lambda: _read_and_encode(connection))
    finally:
        connection.close()


def _read_and_encode(connection: sqlite3.Connection) -> bytes:
    cursor = connection.execute(
        f"SELECT {COLUMNS} FROM experiments_run WHERE deleted_at IS NULL ORDER BY created_at DESC, run_id"
    )
    names = [column[0] for column in cursor.description]
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in cursor])
