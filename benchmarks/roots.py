"""Storage roots to measure with: many small runs, and one very long one.

They hold the files that the library writes (docs/design/0002-run-directories.md) but are written by plain calls
without fsync, so that 10,000 runs take seconds. The same seed gives the same root.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
from pathlib import Path

import orjson

from runicorn.storage import layout

PROJECTS, EXPERIMENTS = 8, 40
METRICS = ["train_loss", "val_loss", "train_acc", "val_acc", "lr", "grad_norm", "epoch_s", "top5", "f1", "perplexity"]
LONG_RUN_METRICS = METRICS[:5]
POINTS = 20
CONFIG_KEYS = 20
PACKAGES = 300
LOG_LINES = 5
#: 14 January 2025, 12:00 UTC.
BEGIN = 1_736_856_000.0
LONG_RUN_ID = "20250114_120000_aa0001"

_PACKAGES = [f"package-{number}=={number % 9}.{number % 7}.{number % 5}" for number in range(PACKAGES)]


def many_runs(root: Path, *, run_count: int = 10_000, seed: int = 1) -> None:
    """Write ``run_count`` finished runs in 8 projects and 40 experiments: 10 metrics of 20 points each, a config of
    20 keys, an environment of 300 packages, 5 log lines.
    """
    choose = random.Random(seed)
    environment = _pretty(_environment())
    for number in range(run_count):
        experiment = number % EXPERIMENTS
        project, name = f"project-{experiment % PROJECTS}", f"experiment-{experiment:02d}"
        run_id = f"202501{14 + number // 2000:02d}_{number % 86400 // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}"
        directory = layout.runs_folder(root, project, name) / f"{run_id}_{number:06x}"
        directory.mkdir(parents=True)
        _write_run(directory, project, name, BEGIN + 60 * number, choose)
        (directory / layout.ENVIRONMENT).write_bytes(environment)


def long_run(root: Path, *, row_count: int = 1_000_000, seed: int = 2) -> Path:
    """Write one run of ``row_count`` records with 5 metrics each; returns its directory."""
    choose = random.Random(seed)
    directory = layout.runs_folder(root, "long", "run") / LONG_RUN_ID
    directory.mkdir(parents=True)
    _write_documents(directory, "long", "run", BEGIN, choose, {})
    with open(directory / layout.EVENTS, "wb", buffering=1 << 20) as events:
        for step in range(1, row_count + 1):
            events.write(event_line(step, BEGIN + step * 0.1, LONG_RUN_METRICS, choose))
    (directory / layout.LOGS).write_text("12:00:00 | a long training\n")
    return directory


def copy_run(run: Path, root: Path) -> Path:
    """A copy of a run under another root; returns its directory. It appears there at once, as a finished copy."""
    target = root / run.relative_to(run.parents[3])
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = root.with_name(f"{root.name}-staged")
    shutil.copytree(run, staged)
    os.rename(staged, target)
    return target


def set_running(run: Path) -> None:
    """Make it a run that is being trained, on another host."""
    status = json.loads((run / layout.STATUS).read_bytes())
    (run / layout.STATUS).write_bytes(_pretty({"status": "running", "started_at": status["started_at"]}))


def remove_run(run: Path) -> None:
    shutil.rmtree(run)


def event_line(step: int, time: float, metrics: list[str], choose: random.Random) -> bytes:
    """One metrics record, as log() writes it."""
    values = {name: math.exp(-step / 1e5) * place + choose.random() for place, name in enumerate(metrics, 1)}
    event = {"ts": time, "type": "metrics", "data": {"global_step": step, "time": time, **values}}
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _write_run(directory: Path, project: str, name: str, begin: float, choose: random.Random) -> None:
    best = choose.random()
    summary = {
        "best_metric_value": best,
        "best_metric_name": "val_acc",
        "best_metric_step": choose.randint(1, POINTS),
        "best_metric_mode": "max",
    }
    _write_documents(directory, project, name, begin, choose, summary)
    lines = [event_line(step, begin + step, METRICS, choose) for step in range(1, POINTS + 1)]
    (directory / layout.EVENTS).write_bytes(b"".join(lines))
    logs = [f"12:00:{second:02d} | epoch {second}: val_acc {choose.random():.4f}\n" for second in range(LOG_LINES)]
    (directory / layout.LOGS).write_text("".join(logs))


def _write_documents(
    directory: Path, project: str, name: str, begin: float, choose: random.Random, summary: dict[str, object]
) -> None:
    status = choose.choices(["finished", "failed", "interrupted"], [8, 1, 1])[0]
    meta = {
        "id": directory.name,
        "project": project,
        "name": name,
        "created_at": begin,
        "python": "3.11.9",
        "platform": "Linux 6.1.0 (x86_64)",
        "hostname": f"node{choose.randrange(6)}",
        "pid": choose.randrange(1000, 60000),
        "storage_dir": str(directory.parents[3]),
        "tags": choose.sample(["baseline", "sweep", "ablation", "final", "debug"], choose.randrange(3)),
        "notes": "seed study" if choose.random() < 0.2 else "",
        "attempt": 1,
    }
    config = {
        f"option_{number:02d}": choose.choice([choose.random(), choose.randrange(512), "adamw", True])
        for number in range(CONFIG_KEYS - 2)
    }
    config |= {"lr": choose.choice([1e-3, 3e-4, 1e-4]), "seed": choose.randrange(5)}
    documents = {
        layout.META: meta,
        layout.STATUS: {"status": status, "started_at": begin, "ended_at": begin + choose.uniform(30, 7200)},
        layout.CONFIG: config,
        layout.SUMMARY: summary,
    }
    for file_name, document in documents.items():
        (directory / file_name).write_bytes(_pretty(document))


def _environment() -> dict[str, object]:
    return {
        "python_version": "3.11.9 (main, Apr  6 2024, 17:59:24) [GCC 11.4.0]",
        "platform": "Linux-6.1.0-x86_64-with-glibc2.35",
        "platform_details": {"system": "Linux", "node": "node0", "release": "6.1.0", "machine": "x86_64"},
        "pip_packages": _PACKAGES,
        "conda_packages": None,
        "conda_env": None,
        "git_info": {"commit": "0" * 40, "branch": "main", "has_changes": False},
        "env_variables": {"CUDA_VISIBLE_DEVICES": "0"},
        "gpu_info": None,
    }


def _pretty(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
