"""Layouts of versions whose packages nobody can run any more, written as the format page describes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.metrics.block_format import decode_axes
from experiments.models import MetricBlock, Run
from tests.run_directories import RUN_ID, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])


def steps_of_the_run() -> list[int]:
    blocks = MetricBlock.objects.order_by("first_record")
    axes = [decode_axes(block.axes, block.record_count) for block in blocks]
    return np.concatenate([part.steps for part in axes]).tolist()


def write_events(run_dir: Path, *records: dict[str, object]) -> None:
    lines = [json.dumps({"ts": 1.0 + index, "type": "metrics", "data": record}) for index, record in enumerate(records)]
    (run_dir / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_run_of_0_1_takes_project_and_name_from_its_meta_file(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, f"runs/{RUN_ID}", meta={"project": "audio", "name": None})

    tick()

    run = Run.objects.get()
    assert (run.project, run.name, run.path) == ("audio", None, f"runs/{RUN_ID}")


def test_records_of_0_1_are_numbered_by_step_then_epoch_then_order(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir, f"runs/{RUN_ID}")
    records = [{"step": 10, "loss": 1.0}, {"epoch": 3, "loss": 0.5}, {"epoch": 3.5, "loss": 0.4}, {"loss": 0.3}]
    write_events(run_dir, *records)

    tick()

    assert steps_of_the_run() == [10, 3, 3, 4]


def test_the_best_value_of_0_2_is_shown_under_its_metrics_name(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, summary={"best_val_acc_top1": 0.71})

    tick()

    run = Run.objects.get()
    assert (run.best_metric_name, run.best_metric_value, run.best_metric_mode) == ("val_acc_top1", 0.71, "max")


def test_a_deletion_marker_counts_even_when_it_is_empty(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    (run_dir / ".deleted").touch()

    tick()

    run = Run.objects.get()
    assert run.deleted_at is not None
    assert run.delete_reason == "unknown"


def test_tags_of_0_4_come_from_the_roots_file_until_the_run_has_its_own(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    write_json(root_dir / ".experiments_metadata.json", {RUN_ID: {"tags": ["old"], "pinned": True}})
    tick()
    assert Run.objects.get().tags == '["old"]'

    write_json(run_dir / "curation.json", {"tags": ["new"]})
    tick()

    run = Run.objects.get()
    assert (run.tags, run.pinned) == ('["new"]', False)
    assert list(run.tag_rows.values_list("tag", flat=True)) == ["new"]


def test_tags_changed_in_the_roots_file_reach_runs_that_did_not_change(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir)
    tick()

    write_json(root_dir / ".experiments_metadata.json", {RUN_ID: {"tags": ["late"]}})
    tick()

    assert Run.objects.get().tags == '["late"]'


def test_reserved_folders_are_never_projects(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, f"artifacts/runs/runs/{RUN_ID}")
    write_run(root_dir, f".hidden/vit/runs/{RUN_ID}")

    tick()

    assert not Run.objects.exists()


def test_an_empty_index_database_of_0_4_in_the_root_is_no_concern(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir)
    (root_dir / "runicorn.db").touch()

    tick()

    assert Run.objects.count() == 1
    assert (root_dir / "runicorn.db").stat().st_size == 0
