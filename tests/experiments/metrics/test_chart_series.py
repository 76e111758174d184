"""Series for charts: experiments/queries/metrics.py, ``chart_series``."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.models import MetricKey, MetricSeries, Run
from experiments.queries.metrics import MAX_NON_FINITE_MARKS, chart_series, metric_names
from runicorn.errors import InvalidInput
from tests.metric_factories import add_block, make_metric_run

pytestmark = pytest.mark.django_db(databases=["index"])


@pytest.fixture
def run() -> Run:
    return make_metric_run()


def test_points_come_by_step_and_in_log_order_within_one(run):
    add_block(run, [{"global_step": step, "loss": loss} for step, loss in [(5, 1.0), (2, 2.0), (5, 3.0), (2, 4.0)]])

    (series,) = chart_series(run, ["loss"], max_points=10)

    assert (series.steps.tolist(), series.values.tolist()) == ([2, 2, 5, 5], [2.0, 4.0, 1.0, 3.0])
    assert np.isnan(series.times).tolist() == [True] * 4
    assert (series.total_points, series.last_step, series.last_value) == (4, 5, 3.0)


def test_series_come_in_the_order_asked_for_and_unknown_ones_are_empty(run):
    add_block(run, [{"global_step": 1, "time": 9.0, "loss": 1.0, "acc": True}])

    nothing, acc, loss = chart_series(run, ["nothing", "acc", "loss"], max_points=10)

    assert (nothing.name, nothing.total_points, nothing.last_step) == ("nothing", 0, None)
    assert (acc.values.tolist(), loss.values.tolist(), loss.times.tolist()) == ([1.0], [1.0], [9.0])


def test_records_without_the_metric_and_texts_are_no_points(run):
    add_block(run, [{"global_step": 1, "loss": "high"}, {"global_step": 2}, {"global_step": 3, "loss": 0.5}])
    add_block(run, [{"global_step": 4, "other": 1}], large=True)

    (series,) = chart_series(run, ["loss"], max_points=10)

    assert (series.steps.tolist(), series.values.tolist(), series.total_points) == ([3], [0.5], 1)


def test_non_finite_points_are_marked_and_counted_instead_of_drawn(run):
    odd = [(1, math.nan), (2, 1.0), (3, math.inf), (4, -math.inf)]
    add_block(run, [{"global_step": step, "loss": loss} for step, loss in odd])

    (series,) = chart_series(run, ["loss"], max_points=10)

    assert series.values.tolist() == [1.0]
    assert series.non_finite == [(1, "nan"), (3, "inf"), (4, "-inf")]
    assert (series.total_points, series.non_finite_count, series.last_value, series.last_step) == (4, 3, None, 4)


def test_a_series_that_diverged_for_good_has_a_bounded_number_of_marks(run):
    add_block(run, [{"global_step": step, "loss": math.nan} for step in range(5000)], large=True)

    (series,) = chart_series(run, ["loss"], max_points=10)

    assert (series.values.tolist(), series.non_finite_count) == ([], 5000)
    assert len(series.non_finite) == MAX_NON_FINITE_MARKS
    assert series.non_finite[0] == (0, "nan")


def test_a_step_range_is_reduced_by_itself(run):
    add_block(run, [{"global_step": step, "loss": float(-step)} for step in range(1000)])

    (series,) = chart_series(run, ["loss"], max_points=20, first_step=100, last_step=899)

    assert (series.total_points, len(series.steps) <= 20) == (800, True)
    assert (series.steps[0], series.steps[-1], min(series.values), max(series.values)) == (100, 899, -899.0, -100.0)


def test_fewer_than_four_points_cannot_be_asked_for(run):
    with pytest.raises(InvalidInput, match="at least 4"):
        chart_series(run, ["loss"], max_points=3)


def test_metric_names_are_sorted_and_those_of_the_run_only(run):
    other = make_metric_run("20250114_153045_ffffff")
    for owner, name in ((run, "loss"), (run, "acc"), (other, "bleu")):
        key = MetricKey.objects.create(name=name)
        MetricSeries.objects.create(run=owner, key=key, count=1, first_step=1, last_step=1)

    assert metric_names(run) == ["acc", "loss"]
