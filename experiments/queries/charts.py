"""What the charts of an open run page fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from experiments.metrics.arrays import load_run
from experiments.models import MetricSeries, Run
from experiments.queries.bands import band_of
from experiments.queries.lines import NO_LINE, Line, LineQuestion, lines_of

#: A band is made of all points.
MAX_POINTS_OF_A_RUN = 2**40
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


@dataclass(frozen=True)
class BandQuestion:
    """groups: by Run.pk the name of its group. center, spread: as ``band_of``. with_traces: the runs' lines, too."""

    groups: Mapping[int, str]
    center: str = "mean"
    spread: str = "std"
    with_traces: bool = False


def band_answer(
    runs: Sequence[Run], names: Sequence[str], question: LineQuestion, bands: BandQuestion
) -> dict[str, Any]:
    """As ``chart_answer``, with a line with a band for each group of runs. Such a line has ``group`` and no ``run``."""
    every_point = replace(question, max_points=MAX_POINTS_OF_A_RUN)
    whole = {run.pk: dict(zip(names, lines_of(run, names, every_point), strict=True)) for run in runs}
    traces = chart_answer(runs, names, question)["metrics"] if bands.with_traces else []
    drawn = {metric["name"]: metric["lines"] for metric in traces}
    metrics = []
    for name in names:
        lines = [
            _band_line(group, [whole[run.pk][name] for run in runs if bands.groups[run.pk] == group], question, bands)
            for group in dict.fromkeys(bands.groups[run.pk] for run in runs)
        ]
        metrics.append({"name": name, "lines": [*drawn.get(name, []), *lines]})
    return {"metrics": metrics}


def _band_line(group: str, lines: Sequence[Line], question: LineQuestion, bands: BandQuestion) -> dict[str, Any]:
    band = band_of(lines, center=bands.center, spread=bands.spread, max_points=question.max_points)
    return asdict(NO_LINE) | {
        "group": group,
        "run_count": band.run_count,
        "x": band.x,
        "y": band.y,
        "band": {"low": band.low, "high": band.high, "counts": band.counts},
        "total": sum(line.total for line in lines),
        "non_finite_count": sum(line.non_finite_count for line in lines),
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
