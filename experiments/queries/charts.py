"""What the charts of an open run page fetch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.metrics.arrays import load_run
from experiments.models import MetricSeries, Run
from experiments.queries.lines import LineQuestion, lines_of

#: A run that changes its stage with every record has no boundaries worth a line.
MAX_BOUNDARIES = 1000


def chart_answer(runs: Sequence[Run], names: Sequence[str], question: LineQuestion) -> dict[str, Any]:
    """The lines of the named metrics of these runs, and of a run alone where its stages begin.

    Points are numpy arrays. metric_count: how many metrics the one run has; a page with fewer cards fetches the others.
    """
    lines = {run.pk: dict(zip(names, lines_of(run, names, question), strict=True)) for run in runs}
    answer: dict[str, Any] = {
        "metrics": [
            {"name": name, "lines": [{"run": run.pk} | asdict(lines[run.pk][name]) for run in runs]} for name in names
        ]
    }
    if len(runs) == 1:
        answer["metric_count"] = MetricSeries.objects.filter(run=runs[0]).count()
        answer["stages"] = stage_boundaries(runs[0])
    return answer


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
