"""A mirror process that is killed again and again neither loses nor repeats a point."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.config import index_path
from tests.run_directories import log_records, write_json, write_run

ROUNDS = 8
RECORDS_A_ROUND = 4_000


@pytest.fixture
def start_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], subprocess.Popen[bytes]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("RUNICORN_DIR", str(tmp_path / "root"))

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "runicorn", "mirror"], stdin=subprocess.DEVNULL)

    return start


def record_count(index: Path) -> int:
    """Records in the index as committed; 0 while there is none."""
    if not index.exists():
        return 0
    with sqlite3.connect(f"file:{index}?mode=ro", uri=True) as connection:
        try:
            return connection.execute("SELECT coalesce(sum(record_count), 0) FROM experiments_metricblock").fetchone()[
                0
            ]
        except sqlite3.OperationalError:  # killed before its first migration was through
            return 0


def wait_for_records(index: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while record_count(index) < count and time.monotonic() < deadline:
        time.sleep(0.05)


def test_sigkill_at_random_moments_neither_loses_nor_repeats_a_point(
    tmp_path: Path, start_mirror: Callable[[], subprocess.Popen[bytes]]
):
    chance = random.Random(7)
    run_dir = write_run(tmp_path / "root", status={"status": "running"})
    index = index_path(tmp_path / "root")
    for round_number in range(ROUNDS):
        mirror = start_mirror()
        wait_for_records(index, max(0, round_number - 1) * RECORDS_A_ROUND)
        first = round_number * RECORDS_A_ROUND
        for start in range(first, first + RECORDS_A_ROUND, 500):
            log_records(run_dir, [{"global_step": step, "loss": float(step)} for step in range(start, start + 500)])
            time.sleep(chance.random() * 0.1)
        os.kill(mirror.pid, signal.SIGKILL)
        mirror.wait()

    write_json(run_dir / "status.json", {"status": "finished"})
    mirror = start_mirror()
    wait_for_records(index, ROUNDS * RECORDS_A_ROUND)
    time.sleep(1.0)  # it would have repeated them by now
    mirror.terminate()
    assert mirror.wait(timeout=10) == 0

    with sqlite3.connect(index) as connection:
        blocks = connection.execute(
            "SELECT first_record, record_count FROM experiments_metricblock ORDER BY 1"
        ).fetchall()
        count, first, last, mean = connection.execute(
            "SELECT count, first_step, last_step, mean_value FROM experiments_metricseries"
        ).fetchone()
    total = ROUNDS * RECORDS_A_ROUND
    assert sum(records for _, records in blocks) == total
    assert [first for first, _ in blocks] == [sum(n for _, n in blocks[:place]) for place in range(len(blocks))]
    assert (count, first, last, mean) == (total, 0, total - 1, pytest.approx((total - 1) / 2))
