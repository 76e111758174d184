"""What the charts of an open run page fetch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from experiments.models import MetricSeries, Run
from experiments.queries.metrics import chart_series


def chart_answer(run: Run, key_names: Sequence[str], *, max_points: int) -> dict[str, Any]:
    """The series of the named metrics, and how many metrics the run has: a page with fewer cards fetches more."""
    series = chart_series(run, key_names, max_points=max_points)
    return {"metric_count": MetricSeries.objects.filter(run=run).count(), "series": [asdict(one) for one in series]}
