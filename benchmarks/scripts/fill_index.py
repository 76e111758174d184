"""An index of many runs with many metrics, written by itself: so many directories would take too long.

``python -m benchmarks.scripts.fill_index RUNS METRICS NAMES`` over the storage root of the environment, which stays
empty. NAMES: metric names in all, of which each run has METRICS. With a fourth number each run has so many records.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import django
import numpy as np

from benchmarks.roots import BEGIN

CONFIG_NAMES = ["lr", "batch_size", "seed", "optimizer", "weight_decay", "dropout", "model.depth", "model.width"]
OPTIMIZERS = ["adam", "adamw", "sgd", "lion"]
RUNS_A_TRANSACTION = 500
PROJECTS = 8
#: As the mirror merges them.
RECORDS_A_BLOCK = 65_536


def main() -> None:
    run_count, metric_count, name_count, *records = map(int, sys.argv[1:])
    django.setup()
    from django.conf import settings
    from django.db import transaction

    from experiments.models import StorageRoot
    from runicorn_site import databases

    databases.prepare()
    Path(settings.RUNICORN_STORAGE_ROOT).mkdir(parents=True, exist_ok=True)
    root, _ = StorageRoot.objects.get_or_create(
        key=StorageRoot.LOCAL, defaults={"path": str(settings.RUNICORN_STORAGE_ROOT), "scanned_at": BEGIN}
    )
    choose = random.Random(7)
    for first in range(0, run_count, RUNS_A_TRANSACTION):
        with transaction.atomic(using="index"):
            _add(root.pk, range(first, min(first + RUNS_A_TRANSACTION, run_count)), metric_count, name_count, choose)
    for number in range(run_count if records else 0):
        with transaction.atomic(using="index"):
            _add_points(number, metric_count, records[0])


def _names(count: int) -> list[str]:
    return ["val_acc", "train/loss", *(f"layer{number}/norm" for number in range(count - 2))]


def _add_points(number: int, metric_count: int, record_count: int) -> None:
    """Noisy curves, in blocks as large as the mirror's."""
    from experiments.metrics.block_format import Axes, Column, Kind
    from experiments.mirror import write
    from experiments.mirror.keys import InternedKeys

    names = _names(metric_count)
    keys = InternedKeys().of_metrics(names)
    noise = np.random.default_rng(number)
    for first in range(0, record_count, RECORDS_A_BLOCK):
        steps = np.arange(first, min(first + RECORDS_A_BLOCK, record_count))
        axes = Axes(steps, BEGIN + 60 * number + steps * 0.1, np.full(len(steps), -1, np.int32))
        curve = np.exp(-steps / record_count * 4)
        columns = {keys[name]: Column(None, Kind.FLOAT, curve + noise.normal(0, 0.05, len(steps))) for name in names}
        write.add_blocks([(number + 1, first, axes, columns)])


def _add(root_key: int, numbers: range, metric_count: int, name_count: int, choose: random.Random) -> None:
    from experiments.mirror import write
    from experiments.mirror.keys import InternedKeys
    from experiments.models import MetricSeries, Run, RunDetail, RunTag, RunValue

    keys = InternedKeys()
    all_metrics = list(keys.of_metrics(_names(name_count)).values())
    values = keys.of_values([("config", name) for name in CONFIG_NAMES])
    runs, series, configs, tags = [], [], [], []
    for number in numbers:
        key, project, experiment = number + 1, f"project-{number % PROJECTS}", f"resnet{choose.choice([18, 50, 101])}"
        run_id = f"20250114_120000_{number:06x}"
        status, best = choose.choice(["finished", "finished", "finished", "failed"]), choose.random()
        runs.append((key, root_key, f"{project}/{experiment}/runs/{run_id}", run_id, project, experiment, status,
                     BEGIN + 60 * number, BEGIN + 60 * number, BEGIN + 60 * number + 30, BEGIN + 60 * number + 30,
                     best, "val_acc", f"{project}\n{experiment}\n{run_id}", "[]", False, False, False, 1, 0, 0, False,
                     100))  # fmt: skip
        others = choose.sample(all_metrics[2:], metric_count - 2) if metric_count < name_count else all_metrics[2:]
        for metric in all_metrics[:2] + others:
            value = choose.random()
            series.append((key, metric, 100, 0, 1, 100, value, value / 2, 3, value * 2, 50, value))
        numbers_of = [10 ** choose.uniform(-5, -1), choose.choice([32, 64]), number % 5, 0, 0.01, 0.1, 50, 64]
        for name, value in zip(CONFIG_NAMES, numbers_of, strict=True):
            text = choose.choice(OPTIMIZERS) if name == "optimizer" else f"{value}"
            configs.append((key, values["config", name], text, None if name == "optimizer" else float(value)))
        if number % 5 == 0:
            tags.append((key, "baseline"))
    write.insert(
        Run,
        ("id", "root_id", "path", "run_id", "project", "name", "status", "created_at", "started_at", "ended_at",
         "updated_at", "best_metric_value", "best_metric_name", "search_text", "tags", "silent", "archived", "pinned",
         "attempt", "artifacts_created_count", "artifacts_used_count", "has_environment", "record_count"),
        runs,
    )  # fmt: skip
    details = [(row[0], "{}", "{}", "", "", "{}") for row in runs]
    write.insert(RunDetail, ("run_id", "config", "summary", "notes", "file_marks", "event_offsets"), details)
    columns = ("run_id", "key_id", "count", "non_finite_count", "first_step", "last_step", "last_value", "min_value",
               "min_step", "max_value", "max_step", "mean_value")  # fmt: skip
    write.insert(MetricSeries, columns, series)
    write.insert(RunValue, ("run_id", "key_id", "text", "number"), configs)
    write.insert(RunTag, ("run_id", "tag"), tags)


if __name__ == "__main__":
    main()
