"""The smoothed line is the average that its definition gives, whatever the length and the weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics.smoothing import smoothed


def by_definition(values: np.ndarray, weight: float) -> np.ndarray:
    average, averages = 0.0, []
    for place, value in enumerate(values, 1):
        average = weight * average + (1 - weight) * value
        averages.append(average / (1 - weight**place))
    return np.array(averages)


@given(
    st.integers(1, 3000),
    st.floats(0, 0.9999),
    st.sampled_from([1.0, 1e-300, 1e300]),
    st.integers(0, 2**32 - 1),
)
def test_it_is_what_the_definition_gives(length: int, weight: float, scale: float, seed: int):
    values = np.random.default_rng(seed).normal(size=length) * scale

    found = smoothed(values, weight=weight)

    np.testing.assert_allclose(found / scale, by_definition(values / scale, weight), rtol=1e-8, atol=1e-9)


def test_a_constant_series_stays_what_it_is():
    np.testing.assert_allclose(smoothed(np.full(1000, 7.5), weight=0.99), 7.5, rtol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.999])
def test_no_points_stay_none(weight: float):
    assert len(smoothed(np.empty(0), weight=weight)) == 0


def test_what_is_given_is_not_changed():
    values = np.arange(100.0)
    smoothed(values, weight=0.9)

    assert values.tolist() == list(range(100))
