"""Tests roll back, and a rolled back primary key is given out again: nothing of another test may be cached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from experiments.metrics import arrays


@pytest.fixture(autouse=True)
def _fresh_arrays() -> Iterator[None]:
    arrays.clear_cache()
    yield
    arrays.clear_cache()
