"""Tagging runs while the mirror indexes, and one run by many processes at once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import orjson

from benchmarks.measurement import Row, median, percentile, wait_until
from benchmarks.setting import START_TIMEOUT_S, Home, Setting, Viewer
from runicorn.storage import layout

PROCESSES, TAGS_EACH = 20, 5
#: Asked for while the index grows: some of the runs that are in it by then.
INDEXED = "SELECT run_id FROM experiments_run ORDER BY id DESC LIMIT 200"
#: The indexing must last long enough to be measured against.
MIN_SAMPLES = 10


def measure(setting: Setting) -> list[Row]:
    return [_while_indexing(setting), _at_once(setting)]


def _while_indexing(setting: Setting) -> Row:
    """From a fresh index until it is in step: each tag goes to a run that is in it already."""
    root, home, choose = setting.many_runs, setting.home("tagging"), random.Random(7)
    viewer = Viewer(root, home)
    samples: list[float] = []
    try:
        viewer.start()
        wait_until(lambda: bool(home.query(INDEXED)), timeout_s=START_TIMEOUT_S, what="The first run in the index")
        client = viewer.client()
        while not home.is_indexed or len(samples) < MIN_SAMPLES:
            (run_id,) = choose.choice(home.query(INDEXED))
            body = {"run_id": run_id, "tags": [f"tag-{len(samples) % 50}"]}
            samples.append(client.timed_post("/api/experiments/tag", body))
    finally:
        viewer.stop()
        _remove_curation(root)
    name = f"tagging a run while {setting.size(10_000, 1_000):,} runs are being indexed, p95"
    detail = {"p50_ms": median(samples), "max_ms": max(samples), "n": len(samples)}
    return Row(name, percentile(samples, 95), "ms", 100, detail)


def _at_once(setting: Setting) -> Row:
    """Tags that are missing after all processes have added theirs to one run."""
    run_dir = layout.runs_folder(setting.folder / "tagged", "bench", "tagging") / "20250114_120000_aa0002"
    run_dir.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.scripts.tagger", str(run_dir)]
    environment = Home(setting.folder / "home-tagged").environment(setting.folder / "tagged")
    processes = [
        subprocess.Popen(
            [*command, f"p{number}", str(TAGS_EACH)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    there = set(orjson.loads((run_dir / layout.CURATION).read_bytes())["tags"])
    expected = {f"p{number}-{tag}" for number in range(PROCESSES) for tag in range(TAGS_EACH)}
    detail = {"tags": len(expected), "failed": sum(process.returncode != 0 for process in processes)}
    return Row(f"tags lost when {PROCESSES} processes tag one run at once", len(expected - there), "", 0, detail)


def _remove_curation(root: Path) -> None:
    """The root as it was, for the other rows."""
    for file in root.glob("*/*/runs/*/curation.*"):
        file.unlink()
