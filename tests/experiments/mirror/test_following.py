"""What changes in a storage root after it was indexed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.metrics.block_format import decode_axes, decode_column, unpack_columns
from experiments.mirror.loop import mirror_once
from experiments.mirror.runs import RunsMirror
from experiments.models import Change, MetricBlock, MetricColumn, MetricKey, MetricSeries, Problem, Run, StorageRoot
from tests.run_directories import RUN_ID, log_records, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])

PATH = f"vision/vit/runs/{RUN_ID}"
NOW = 1_800_000_000.0
Tick = Callable[[], None]


def logged(key: str) -> list[tuple[int, float]]:
    """All points of a metric as they lie in the blocks: (step, value)."""
    points = []
    for block in MetricBlock.objects.order_by("first_record"):
        rows = MetricColumn.objects.filter(block=block).values_list("key_id", "column")
        columns = dict(rows) if block.columns is None else unpack_columns(block.columns)
        if (blob := columns.get(MetricKey.objects.get(name=key).pk)) is not None:
            column = decode_column(blob, block.record_count)
            steps = decode_axes(block.axes, block.record_count).steps[column.present_mask(block.record_count)]
            points += zip(steps.tolist(), column.values.tolist(), strict=True)
    return points


def test_appended_points_arrive_once_and_only_once(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"}, records=[{"global_step": 1, "loss": 3.0}])
    tick()
    for step in range(2, 60):
        log_records(run_dir, [{"global_step": step, "loss": 3.0 / step}])
        tick()
        tick()

    assert logged("loss") == [(step, 3.0 / step) for step in range(1, 60)]
    series = MetricSeries.objects.get()
    assert (series.count, series.first_step, series.last_step) == (59, 1, 59)
    assert (series.min_value, series.min_step, series.max_value, series.max_step) == (3.0 / 59, 59, 3.0, 1)
    assert series.mean_value == pytest.approx(sum(3.0 / step for step in range(1, 60)) / 59)


def bytes_read() -> int:
    """How much this process has read since it began."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_an_append_costs_as_much_as_was_appended(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"})
    log_records(run_dir, [{"global_step": step, "loss": float(step)} for step in range(100_000)])
    size = (run_dir / "events.jsonl").stat().st_size
    for _ in range(20):
        tick()
    before = bytes_read()

    log_records(run_dir, [{"global_step": 100_000, "loss": 0.5}])
    tick()

    assert MetricSeries.objects.get().count == 100_001
    assert bytes_read() - before < size / 10


def test_blocks_stay_few_while_a_run_logs_and_become_one_when_it_ends(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"})
    for step in range(300):
        log_records(run_dir, [{"global_step": step, "loss": float(step)}])
        tick()
    assert MetricBlock.objects.count() < 40

    write_json(run_dir / "status.json", {"status": "finished", "ended_at": NOW})
    tick()

    assert MetricBlock.objects.count() == 1
    assert logged("loss") == [(step, float(step)) for step in range(300)]


def test_an_ended_run_that_still_grows_is_merged_when_it_is_quiet(
    root_dir: Path, root: StorageRoot, mirror: RunsMirror, tick: Tick
):
    run_dir = write_run(root_dir, records=[{"global_step": 0, "loss": 0.0}])
    tick()
    for step in range(1, 5):
        log_records(run_dir, [{"global_step": step, "loss": float(step)}])
        tick()
    assert MetricBlock.objects.count() == 5

    mirror_once([mirror], root, now=NOW + 6)

    assert MetricBlock.objects.count() == 1
    assert logged("loss") == [(step, float(step)) for step in range(5)]


def test_a_torn_last_line_is_waited_for(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"})
    with (run_dir / "events.jsonl").open("w", encoding="utf-8") as events:
        events.write('{"ts": 1.0, "type": "metrics", "data": {"global_step": 1, "time": 1.0, "lo')
        events.flush()
        tick()
        assert not MetricSeries.objects.exists()

        events.write('ss": 0.5}}\n')
        events.flush()
        tick()

    assert logged("loss") == [(1, 0.5)]
    assert not Problem.objects.exists()


def test_a_whole_last_line_without_newline_counts_when_the_run_has_ended(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir)
    whole = '{"ts": 1.0, "type": "metrics", "data": {"global_step": 1, "time": 1.0, "loss": 0.5}}'
    (run_dir / "events.jsonl").write_text(whole, encoding="utf-8")
    tick()
    assert logged("loss") == [(1, 0.5)]

    with (run_dir / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write("\n" + whole.replace('"global_step": 1', '"global_step": 2') + "\n")
    tick()

    assert logged("loss") == [(1, 0.5), (2, 0.5)]


@pytest.mark.parametrize("keep", [0, 40])
def test_a_cut_or_replaced_events_file_is_read_again_from_its_start(keep: int, root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, records=[{"global_step": step, "loss": 1.0} for step in range(10)])
    tick()

    events = run_dir / "events.jsonl"
    events.write_text(events.read_text(encoding="utf-8")[:keep], encoding="utf-8")
    log_records(run_dir, [{"global_step": 100, "loss": 9.0}], file="new.jsonl")
    os.replace(run_dir / "new.jsonl", events)
    tick()

    assert logged("loss") == [(100, 9.0)]
    assert Run.objects.get().record_count == 1


def test_several_event_files_of_one_run_are_all_read(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, records=[{"global_step": 1, "loss": 1.0}])
    log_records(run_dir, [{"global_step": 2, "loss": 2.0}], file="events.gpu2-77.jsonl")
    tick()
    log_records(run_dir, [{"global_step": 3, "loss": 3.0}])
    log_records(run_dir, [{"global_step": 4, "loss": 4.0}], file="events.gpu2-77.jsonl")
    tick()

    assert sorted(logged("loss")) == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]


def test_a_removed_run_directory_takes_its_rows_with_it(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, records=[{"global_step": 1, "loss": 1.0}])
    write_run(root_dir, "vision/vit/runs/other")
    tick()

    shutil.rmtree(run_dir)
    tick()

    assert [run.run_id for run in Run.objects.all()] == ["other"]
    assert not MetricBlock.objects.exists()
    assert Change.objects.filter(kind=Change.Kind.REMOVED, run_id=RUN_ID).exists()


def test_a_root_that_is_away_for_a_while_keeps_its_rows(root_dir: Path, tick: Tick):
    write_run(root_dir)
    tick()

    root_dir.rename(root_dir.with_name("away"))
    tick()
    assert Run.objects.count() == 1
    assert "cannot be reached" in Problem.objects.get().reason

    root_dir.with_name("away").rename(root_dir)
    tick()
    assert Run.objects.count() == 1
    assert not Problem.objects.exists()


def test_a_document_edited_in_place_is_found_by_the_sweep(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, summary={"acc": 0.1})
    tick()

    with (run_dir / "summary.json").open("r+", encoding="utf-8") as summary:
        summary.write('{"acc": 0.9}')
        summary.truncate()
    tick()

    assert Run.objects.get().detail.summary == {"acc": 0.9}


def test_a_restart_with_nothing_changed_opens_no_file(
    root_dir: Path, root: StorageRoot, tick: Tick, monkeypatch: pytest.MonkeyPatch
):
    for index in range(5):
        write_run(root_dir, f"vision/vit/runs/run{index}", records=[{"global_step": 1, "loss": 1.0}])
    tick()
    rows = list(Run.objects.values())
    opened: list[object] = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **more: opened.append(path) or real_open(path, *rest, **more))

    mirror_once([RunsMirror()], root, now=NOW)

    assert [path for path in opened if str(root_dir) in str(path)] == []
    assert list(Run.objects.values()) == rows


def test_a_restart_finds_what_changed_while_nobody_looked(root_dir: Path, root: StorageRoot, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"}, records=[{"global_step": 1, "loss": 1.0}])
    gone = write_run(root_dir, "vision/vit/runs/gone")
    tick()
    log_records(run_dir, [{"global_step": 2, "loss": 2.0}])
    write_run(root_dir, "vision/vit/runs/new")
    shutil.rmtree(gone)

    mirror = RunsMirror()
    while mirror_once([mirror], root, now=NOW):
        pass

    assert set(Run.objects.values_list("run_id", flat=True)) == {RUN_ID, "new"}
    assert logged("loss") == [(1, 1.0), (2, 2.0)]


def test_the_best_value_of_a_running_run_comes_from_its_points(root_dir: Path, tick: Tick):
    run_dir = write_run(
        root_dir,
        status={"status": "running"},
        summary={"best_metric_name": "acc", "best_metric_mode": "max"},
        records=[{"global_step": 1, "acc": 0.5}, {"global_step": 2, "acc": 0.4}],
    )
    tick()
    run = Run.objects.get()
    assert (run.best_metric_value, run.best_metric_step) == (0.5, 1)

    log_records(run_dir, [{"global_step": 3, "acc": 0.8}])
    tick()

    run.refresh_from_db()
    assert (run.best_metric_value, run.best_metric_step) == (0.8, 3)


def test_every_change_is_in_the_feed_once(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"}, records=[{"global_step": 1, "loss": 1.0}])
    tick()
    log_records(run_dir, [{"global_step": 2, "loss": 1.0}])
    tick()
    tick()
    write_json(run_dir / "status.json", {"status": "finished"})
    tick()

    feed = list(Change.objects.values_list("kind", "run_id", "record_count"))
    assert feed == [("run", RUN_ID, None), ("points", RUN_ID, 1), ("points", RUN_ID, 2), ("run", RUN_ID, None)]


def test_a_new_index_says_the_same_as_one_that_followed_along(root_dir: Path, root: StorageRoot, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"})
    for step in range(50):
        log_records(
            run_dir, [{"global_step": step, "loss": float(step % 7), "note": f"n{step % 3}", "ok": step % 2 > 0}]
        )
        tick()
    write_json(run_dir / "status.json", {"status": "finished"})
    tick()
    columns = ("run_id", "status", "record_count", "updated_at")
    figures = ("count", "first_step", "last_step", "last_value", "min_value", "min_step", "max_value", "max_step")
    rows, series, points = (
        list(Run.objects.values(*columns)),
        list(MetricSeries.objects.values(*figures)),
        logged("loss"),
    )

    Run.objects.all().delete()
    mirror = RunsMirror()
    while mirror_once([mirror], root, now=NOW):
        pass

    assert list(Run.objects.values(*columns)) == rows
    assert list(MetricSeries.objects.values(*figures)) == series
    assert logged("loss") == points
