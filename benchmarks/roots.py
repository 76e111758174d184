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

from runicorn.artifacts.models import ArtifactManifest, ArtifactMetadata, ReferenceEntry
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
#: Of artifacts: versions of each, and how many of them a run uses and makes.
GENERATIONS, RUN_SHARE = 10, 4
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


def run_with_documents(root: Path, choose: random.Random | None = None) -> Path:
    """Make one finished run that has logged nothing yet; returns its directory."""
    directory = layout.runs_folder(root, "long", "run") / LONG_RUN_ID
    directory.mkdir(parents=True)
    _write_documents(directory, "long", "run", BEGIN, choose or random.Random(2), {})
    return directory


def long_run(root: Path, *, row_count: int = 1_000_000, seed: int = 2) -> Path:
    """Write one run of ``row_count`` records with 5 metrics each; returns its directory."""
    choose = random.Random(seed)
    directory = run_with_documents(root, choose)
    with open(directory / layout.EVENTS, "wb", buffering=1 << 20) as events:
        for step in range(1, row_count + 1):
            events.write(event_line(step, BEGIN + step * 0.1, LONG_RUN_METRICS, choose))
    (directory / layout.LOGS).write_text("12:00:00 | a long training\n")
    return directory


def many_artifacts(root: Path, *, artifact_count: int = 2_000, seed: int = 3) -> None:
    """Write ``artifact_count`` models of 10 versions each; 28 % of them, made by runs, are one graph of lineage.

    Each of its runs uses 4 versions of one generation, chosen at random, and makes 4 of the next: with 2,000 artifacts
    10,640 edges, and the last generation comes from nearly all versions.
    """
    choose = random.Random(seed)
    related = related_artifacts(artifact_count)
    makers = {
        (number, generation): f"20250114_12{generation:02d}00_{number // RUN_SHARE:06x}"
        for number in range(related)
        for generation in range(GENERATIONS)
    }
    for number in range(artifact_count):
        home = root / layout.ARTIFACTS_DIR / "model" / artifact_name(number)
        for generation in range(GENERATIONS):
            folder = home / f"v{generation + 1}"
            folder.mkdir(parents=True)
            _write_version(folder, artifact_name(number), generation + 1, makers.get((number, generation), ""))
        versions = {"artifact_name": artifact_name(number), "artifact_type": "model", "aliases": {"best": 3}}
        (home / layout.VERSIONS).write_bytes(_pretty({**versions, "next_version": GENERATIONS + 1}))
    for (number, generation), run_id in makers.items():
        if number % RUN_SHARE == 0:
            directory = layout.runs_folder(root, "lineage", "train") / run_id
            directory.mkdir(parents=True)
            _write_documents(directory, "lineage", "train", BEGIN + generation, choose, {})
            made = [_record(other, generation + 1) for other in range(number, number + RUN_SHARE)]
            used = [_record(choose.randrange(related), generation) for _ in range(RUN_SHARE if generation else 0)]
            (directory / layout.ARTIFACTS_CREATED).write_bytes(_pretty({"artifacts": made}))
            (directory / layout.ARTIFACTS_USED).write_bytes(_pretty({"artifacts": used}))


def related_artifacts(artifact_count: int) -> int:
    """How many of so many artifacts belong to the graph of lineage."""
    return artifact_count * 7 // 100 * RUN_SHARE


def artifact_name(number: int) -> str:
    return f"net-{number:04d}"


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


def _write_version(folder: Path, name: str, number: int, run_id: str) -> None:
    reference = ReferenceEntry(f"s3://models/{name}/{number}", size=1_000_000)
    manifest = ArtifactManifest(references=(reference,), created_at=BEGIN + number)
    metadata = ArtifactMetadata(name, "model", number, BEGIN + number, BEGIN + number, run_id, size_bytes=1_000_000)
    (folder / layout.VERSION_MANIFEST).write_bytes(_pretty(manifest.to_dict()))
    (folder / layout.VERSION_METADATA).write_bytes(_pretty(metadata.to_dict()))


def _record(number: int, version: int) -> dict[str, object]:
    return {"name": artifact_name(number), "type": "model", "version": version, "size_bytes": 1_000_000}


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
