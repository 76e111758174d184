"""A page of 50 while the mirror ingests a long run, and while another client lists all runs in a loop."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import roots
from benchmarks.client import HttpClient
from benchmarks.measurement import Row, median, percentile
from benchmarks.rows.run_pages import random_page
from benchmarks.setting import Home, Setting

_LISTER = """
import sys
from benchmarks.client import HttpClient
client = HttpClient(int(sys.argv[1]))
client.get("/api/runs")
print("listing", flush=True)
while True:
    client.get("/api/runs")
"""
#: The ingestion must last long enough to be measured against.
MIN_SAMPLES = 10
INGESTED = "SELECT record_count FROM experiments_run WHERE run_id = '{}'"


def measure(setting: Setting) -> list[Row]:
    root, home, choose = setting.many_runs, setting.home("many"), random.Random(6)
    repetitions = setting.size(200, 40)
    long_run = next(setting.long_run.glob("*/*/runs/*"))
    row_count = setting.size(1_000_000, 100_000)
    with setting.viewer(root, home) as viewer:
        client = viewer.client()
        _pages(client, choose, 20)
        idle = _pages(client, choose, repetitions)
        with _listing(viewer.port, home.environment(root)):
            listed = _pages(client, choose, repetitions)
        copy = roots.copy_run(long_run, root)
        ingesting = []
        while not _is_ingested(home, copy.name, row_count) or len(ingesting) < MIN_SAMPLES:
            ingesting.append(client.timed_get(random_page(choose)))
        roots.remove_run(copy)
    return [
        _row("page of 50 while a long run is ingested", ingesting, idle),
        _row("page of 50 while a client lists all runs in a loop", listed, idle),
    ]


def _pages(client: HttpClient, choose: random.Random, count: int) -> list[float]:
    return [client.timed_get(random_page(choose)) for _ in range(count)]


def _row(name: str, loaded: list[float], idle: list[float]) -> Row:
    detail = {"p50_ms": median(loaded), "p95_ms": percentile(loaded, 95), "idle_p50_ms": median(idle), "n": len(loaded)}
    return Row(f"{name}, against idle", median(loaded) / median(idle), "×", 3, detail)


def _is_ingested(home: Home, run_id: str, row_count: int) -> bool:
    return home.query(INGESTED.format(run_id)) == [(row_count,)]


@contextmanager
def _listing(port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _LISTER, str(port)], env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()
