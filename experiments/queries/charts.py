"""What the charts of an open run page fetch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.metrics.arrays import load_run
from experiments.models import MetricSeries, Run
from experiments.queries.metrics import chart_series

#: A run that changes its stage with every record has no boundaries worth a line.
MAX_BOUNDARIES = 1000


def chart_answer(
    run: Run, key_names: Sequence[str], *, max_points: int, first_step: int | None, last_step: int | None
) -> dict[str, Any]:
    """The series of the named metrics in a range of steps (inclusive, None: open), and where stages begin.

    Points are numpy arrays; NaN among the times means unknown.
    metric_count: how many metrics the run has; a page with fewer cards fetches the others.
    """
    series = chart_series(run, key_names, max_points=max_points, first_step=first_step, last_step=last_step)
    return {
        "metric_count": MetricSeries.objects.filter(run=run).count(),
        "stages": stage_boundaries(run),
        "series": [asdict(one) for one in series],
    }


def stage_boundaries(run: Run) -> list[dict[str, Any]]:
    """Where each stage begins, in log order: ``name`` ('' for none), ``step`` and ``time`` (None: unknown)."""
    arrays = load_run(run.pk, key_pks=())
    if not arrays.stage_names:
        return []
    before = np.concatenate(([-1], arrays.stages[:-1]))
    places = np.flatnonzero(arrays.stages != before)
    if len(places) > MAX_BOUNDARIES:
        return []
    names = (*arrays.stage_names, "")  # code -1 picks the last
    times = (None if time != time else time for time in arrays.times[places].tolist())
    steps = arrays.steps[places].tolist()
    codes = arrays.stages[places].tolist()
    return [
        {"name": names[code], "step": step, "time": time} for code, step, time in zip(codes, steps, times, strict=True)
    ]
