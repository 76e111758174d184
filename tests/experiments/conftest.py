"""Tests roll back, and a rolled back primary key is given out again: nothing of another test may be cached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from experiments.metrics import arrays

# Examples take as long as the machine lets them: what is slow shows in pytest's own list.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def _fresh_arrays() -> Iterator[None]:
    arrays.clear_cache()
    yield
    arrays.clear_cache()
