"""Tables of a run's metrics, against a slow and plain reading of the same records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from experiments.metrics import arrays
from experiments.metrics import rows as row_format
from experiments.models import Run
from experiments.queries.metrics import metrics_by_step, metrics_by_time, metrics_fast
from runicorn.errors import InvalidInput
from tests.metric_factories import add_block, make_metric_run, merge_blocks

pytestmark = pytest.mark.django_db(databases=["index"])

cells = st.one_of(
    st.floats(),
    st.integers(-(2**60), 2**60),
    st.booleans(),
    st.none(),
    st.sampled_from(["warm", "up", '"%s"', "学习", ""]),
)
names = st.sampled_from(["loss", "acc", "学习率", "a b", "100%", '"'])
records = st.fixed_dictionaries(
    {"global_step": st.integers(-3, 12)},
    optional={"time": st.floats(0, 100), "stage": st.sampled_from(["warmup", "main"])},
).flatmap(lambda axes: st.dictionaries(names, cells, max_size=4).map(lambda metrics: axes | metrics))
blocks_of_records = st.lists(st.tuples(st.lists(records, min_size=1, max_size=8), st.booleans()), max_size=5)


def parsed(rows: Iterable[orjson.Fragment]) -> list[dict[str, Any]]:
    return orjson.loads(orjson.dumps(list(rows)))


def shown(cell: object) -> object:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def plain_columns(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for record in records for name in record if name != "global_step"})


def plain_step_table(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_step: dict[int, dict[str, Any]] = {}
    for record in records:
        by_step.setdefault(record["global_step"], {}).update(record)
    names = plain_columns(records)
    rows = [by_step[step] for step in sorted(by_step)]
    return [{name: shown(row.get(name)) for name in ("global_step", *names)} for row in rows]


@mock.patch.multiple(row_format, CELLS_AT_ONCE=1, MIN_ROWS_AT_ONCE=3)
class AnyRun(TestCase):
    """Rows are made three at a time, so that tables of a few records have several pieces."""

    databases = {"index"}

    @settings(max_examples=120)
    @given(blocks_of_records)
    def test_tables_equal_a_plain_reading_of_the_records(self, blocks):
        arrays.clear_cache()
        run = make_metric_run()
        for block, large in blocks:
            add_block(run, block, large=large)
        log = [record for block, _ in blocks for record in block]

        by_step, by_time = metrics_by_step(run), metrics_by_time(run)

        assert parsed(by_step.rows) == plain_step_table(log)
        assert by_step.columns == (["global_step", *plain_columns(log)] if log else [])
        times = [record.get("time") for record in log]
        begin = next((time for time in times if time is not None), 0.0)
        expected = [
            {name: shown(record.get(name)) for name in plain_columns(log)}
            | {"time": None if time is None else time - begin, "global_step": record["global_step"]}
            for record, time in zip(log, times, strict=True)
        ]
        assert parsed(by_time.rows) == expected

    @settings(max_examples=60)
    @given(blocks_of_records, st.integers(2, 12), st.tuples(*[st.none() | st.integers(-5, 14)] * 2))
    def test_fast_rows_are_rows_of_the_step_table(self, blocks, limit, step_range):
        arrays.clear_cache()
        run = make_metric_run()
        for block, large in blocks:
            add_block(run, block, large=large)
        low, high = (-99 if step_range[0] is None else step_range[0]), (99 if step_range[1] is None else step_range[1])
        in_range = [row for row in parsed(metrics_by_step(run).rows) if low <= row["global_step"] <= high]

        whole = metrics_fast(run, step_range=step_range)
        fast = metrics_fast(run, step_range=step_range, downsample=limit)

        assert parsed(whole.rows) == in_range
        rows = parsed(fast.rows)
        assert all(row in in_range for row in rows)
        assert len(rows) <= limit
        assert (fast.total_rows, fast.downsampled) == (len(in_range), len(in_range) > limit)
        assert (fast.extremes_complete is None) == (not fast.downsampled)
        assert rows[:1] == in_range[:1]
        assert rows[-1:] == in_range[-1:]
        assert rows == parsed(metrics_fast(run, step_range=step_range, downsample=limit).rows)

    @settings(max_examples=60)
    @given(st.lists(st.lists(records, min_size=1, max_size=6), min_size=2, max_size=8), st.data())
    def test_a_growing_and_merged_run_reads_the_same_as_one_read_at_once(self, blocks, data):
        arrays.clear_cache()
        run = make_metric_run()
        log: list[Mapping[str, Any]] = []
        for block in blocks:
            add_block(run, block)
            log += block
            if data.draw(st.booleans()):
                assert parsed(metrics_by_step(run).rows) == plain_step_table(log)
            if data.draw(st.booleans()):
                metrics_fast(run, metric_names=["loss"])
        first = data.draw(st.integers(0, len(blocks) - 2))
        merge_blocks(run, first=first, count=data.draw(st.integers(2, len(blocks) - first)))

        after_merge = parsed(metrics_by_step(run).rows)

        assert after_merge == plain_step_table(log)


@pytest.fixture
def run() -> Run:
    return make_metric_run()


def test_a_run_without_records_has_no_columns_and_no_rows(run):
    for table in (metrics_by_step(run), metrics_by_time(run)):
        assert (table.columns, list(table.rows), table.total_rows, table.sampled) == ([], [], 0, False)


def test_asked_for_metrics_are_columns_in_that_order_even_if_never_logged(run):
    add_block(run, [{"global_step": 1, "loss": 0.5, "acc": 0.1}])

    table = metrics_fast(run, metric_names=["nope", "loss", "loss", "global_step"])

    assert table.columns == ["global_step", "nope", "loss"]
    assert parsed(table.rows) == [{"global_step": 1, "nope": None, "loss": 0.5}]


def test_a_metric_named_epoch_stays_in_the_table(run):
    add_block(run, [{"global_step": 1, "epoch": 3}])

    assert parsed(metrics_by_step(run).rows) == [{"global_step": 1, "epoch": 3}]


def test_integers_stay_integers_and_huge_ones_exact(run):
    add_block(run, [{"global_step": 2**62, "n": 2**60 + 1}, {"global_step": 2**62 + 1, "n": 7}])

    rows = parsed(metrics_by_step(run).rows)

    assert rows == [{"global_step": 2**62, "n": 2**60 + 1}, {"global_step": 2**62 + 1, "n": 7}]


def test_records_of_several_files_are_merged_by_time():
    run = make_metric_run(event_files=["events.jsonl", "events.node2-77.jsonl"])
    add_block(run, [{"global_step": 1, "time": 10.0, "loss": 1.0}, {"global_step": 2, "time": 30.0, "loss": 3.0}])
    add_block(run, [{"global_step": 1, "time": 20.0, "loss": 2.0}, {"global_step": 1, "loss": 2.5}])

    by_time, by_step = metrics_by_time(run), metrics_by_step(run)

    assert [(row["time"], row["loss"]) for row in parsed(by_time.rows)] == [(0, 1), (10, 2), (None, 2.5), (20, 3)]
    assert [row["loss"] for row in parsed(by_step.rows)] == [2.5, 3.0]


def test_a_clock_set_back_in_one_file_changes_no_order(run):
    add_block(run, [{"global_step": 1, "time": 50.0, "loss": 1.0}, {"global_step": 1, "time": 20.0, "loss": 2.0}])

    assert [row["time"] for row in parsed(metrics_by_time(run).rows)] == [0.0, -30.0]
    assert [row["loss"] for row in parsed(metrics_by_step(run).rows)] == [2.0]


def test_a_later_not_a_number_wins_over_an_earlier_number_and_shows_as_null(run):
    add_block(run, [{"global_step": 1, "loss": 1.0}, {"global_step": 1, "loss": math.nan}])

    assert parsed(metrics_by_step(run).rows) == [{"global_step": 1, "loss": None}]


def test_reduced_tables_say_what_they_left_out(run):
    add_block(run, [{"global_step": step, "loss": math.sin(step), "acc": -step} for step in range(100)])

    reduced = metrics_fast(run, downsample=50)
    crowded = metrics_fast(run, downsample=3)
    by_step, by_time = metrics_by_step(run, downsample=50), metrics_by_time(run, downsample=50)

    assert (reduced.downsampled, reduced.extremes_complete, reduced.total_rows) == (True, True, 100)
    assert (crowded.extremes_complete, len(crowded.rows)) == (False, 3)
    assert (by_step.sampled, by_step.total_rows) == (True, 100)
    assert (by_time.sampled, by_time.total_rows, len(by_time.rows)) == (True, 100, len(by_step.rows))


def test_steps_far_outside_what_64_bits_hold_bound_a_range(run):
    add_block(run, [{"global_step": -(2**63), "loss": 1.0}, {"global_step": 2**63 - 1, "loss": 2.0}])

    assert metrics_fast(run, step_range=(-(10**30), 10**30)).total_rows == 2
    assert list(metrics_fast(run, step_range=(5, -5)).rows) == []


def test_fewer_than_two_rows_cannot_be_asked_for(run):
    for read in (metrics_by_step, metrics_by_time, metrics_fast):
        with pytest.raises(InvalidInput, match="at least 2"):
            read(run, downsample=1)
