"""A band says what its runs have in common: against the same figures taken point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from experiments.queries.bands import band_of
from experiments.queries.lines import NO_LINE, Line


def line(x: list[float], y: list[float]) -> Line:
    return replace(NO_LINE, x=np.array(x, float), y=np.array(y, float))


RUNS = [line([0, 1, 2], [1, 2, 3]), line([0, 1, 2], [3, 4, 5]), line([0, 2, 4], [2, 8, 9])]


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        ("std", np.std([2, 4, 5], ddof=1)),
        ("se", np.std([2, 4, 5], ddof=1) / np.sqrt(3)),
        ("ci95", np.std([2, 4, 5], ddof=1) / np.sqrt(3) * 4.303),  # Student's t with two degrees of freedom
    ],
)
def test_the_band_reaches_as_far_as_its_runs_spread(spread: str, expected: float):
    band = band_of(RUNS, center="mean", spread=spread, max_points=10)

    assert band.x.tolist() == [0, 1, 2, 4]
    assert band.counts.tolist() == [3, 3, 3, 1]
    np.testing.assert_allclose(band.y, [2, 11 / 3, 16 / 3, 9])  # at 1 the third run is between 2 and 8
    assert band.high[1] - band.y[1] == pytest.approx(expected)
    assert band.low[3] == band.y[3] == band.high[3]


def test_the_middle_may_be_the_median_and_the_band_all_there_is():
    band = band_of(RUNS, center="median", spread="minmax", max_points=10)

    assert band.y.tolist() == [2, 4, 5, 9]
    assert band.low.tolist() == [1, 2, 3, 9]
    assert band.high.tolist() == [3, 5, 8, 9]


def test_long_runs_are_their_means_in_equal_stretches_and_no_extreme_is_lost():
    x = np.arange(10_000.0)
    runs = [line(x.tolist(), (np.sin(x / 500) + shift).tolist()) for shift in (0, 1)]
    runs[0].y[4321] = 50

    band = band_of(runs, center="mean", spread="minmax", max_points=100)

    assert len(band.x) == 100
    assert band.high.max() == 50
    plain = np.delete(np.arange(100), 43)
    np.testing.assert_allclose(band.y[plain], np.sin(x / 500).reshape(100, 100).mean(axis=1)[plain] + 0.5, atol=0.01)


def test_a_run_that_is_smoothed_is_averaged_as_it_is_drawn():
    smooth = replace(RUNS[0], smooth_x=np.array([0.0, 1, 2]), smooth_y=np.array([7.0, 7, 7]))

    assert band_of([smooth], center="mean", spread="std", max_points=10).y.tolist() == [7, 7, 7]


def test_no_points_are_no_band():
    assert len(band_of([NO_LINE, NO_LINE], center="mean", spread="std", max_points=10).x) == 0
