"""What thinning keeps, for any series: experiments/metrics/reduce.py."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics.reduce import bucket_bounds, bucket_extremes, m4, pick_rows

finite_values = st.floats(allow_nan=False, allow_infinity=False)
any_values = st.one_of(st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]))


@given(st.integers(1, 500), st.data())
def test_buckets_cover_everything_once_and_differ_by_one_at_most(count, data):
    bucket_count = data.draw(st.integers(1, count))

    bounds = bucket_bounds(count, bucket_count)

    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1], len(sizes)) == (0, count, bucket_count)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1


@given(st.lists(finite_values, max_size=300), st.integers(4, 60))
def test_m4_keeps_the_first_lowest_highest_and_last_point_of_every_bucket(values, max_points):
    series = np.array(values, np.float64)

    kept = m4(series, max_points=max_points).tolist()

    assert len(kept) <= max_points
    assert kept == sorted(set(kept))
    if len(values) <= max_points:
        assert kept == list(range(len(values)))
        return
    bounds = bucket_bounds(len(values), max_points // 4).tolist()
    for start, end in itertools.pairwise(bounds):
        shown = [place for place in kept if start <= place < end]
        assert (shown[0], shown[-1]) == (start, end - 1)
        assert min(values[place] for place in shown) == min(values[start:end])
        assert max(values[place] for place in shown) == max(values[start:end])


@given(st.lists(any_values, min_size=1, max_size=200), st.data())
def test_extremes_of_buckets_are_those_that_plain_python_finds(values, data):
    bucket_count = data.draw(st.integers(1, len(values)))

    lowest, highest = bucket_extremes(np.array(values, np.float64), bucket_count)

    expected_lowest, expected_highest = [], []
    bounds = bucket_bounds(len(values), bucket_count).tolist()
    for start, end in itertools.pairwise(bounds):
        places = [place for place in range(start, end) if math.isfinite(values[place])]
        if places:
            expected_lowest.append(min(places, key=values.__getitem__))
            expected_highest.append(max(places, key=values.__getitem__))
    assert (lowest.tolist(), highest.tolist()) == (expected_lowest, expected_highest)


@given(st.data())
def test_picked_rows_hold_both_ends_and_every_extreme_that_fits(data):
    row_count = data.draw(st.integers(1, 200))
    rows = st.lists(any_values, min_size=row_count, max_size=row_count)
    metrics = [np.array(values, np.float64) for values in data.draw(st.lists(rows, max_size=4))]
    max_rows = data.draw(st.integers(2, 60))

    places, complete = pick_rows(row_count, metrics, max_rows=max_rows)

    kept = places.tolist()
    assert len(kept) <= max_rows
    assert kept == sorted(set(kept))
    assert {0, row_count - 1} <= set(kept)
    assert complete == all(_has_extremes(values, kept) for values in metrics)
    if max_rows >= 2 + 2 * len(metrics):
        assert complete


def _has_extremes(values: np.ndarray, kept: list[int]) -> bool:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return True
    first_of = [int(np.flatnonzero(values == value)[0]) for value in (finite.min(), finite.max())]
    return all(place in kept for place in first_of)


def test_a_series_longer_than_twice_the_target_is_covered_to_its_end():
    values = np.random.default_rng(1).normal(size=1999)

    places, complete = pick_rows(1999, [values], max_rows=1000)

    assert complete
    assert 990 <= len(places) <= 1000
    assert np.diff(places).max() <= 8


def test_many_metrics_share_a_small_budget_over_the_whole_range():
    metrics = [np.sin(np.arange(10_000) / (place + 1)) for place in range(30)]

    places, complete = pick_rows(10_000, metrics, max_rows=20)

    assert not complete
    assert len(places) == 20


def test_leftover_rows_are_spread_when_there_are_fewer_than_metrics():
    metrics = [np.arange(10_000.0), *(np.arange(10_000.0) for _ in range(9))]

    places, complete = pick_rows(10_000, metrics, max_rows=12)

    assert complete
    assert len(places) >= 10
    assert np.diff(places).max() < 2_500
