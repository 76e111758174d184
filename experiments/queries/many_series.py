"""Series of many runs in one answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from experiments.models import Run
from experiments.queries.metrics import ChartSeries, StepRange, chart_series, metric_names

#: More points than any series has: none is left out.
EVERY_POINT = 2**62


@dataclass(frozen=True)
class SeriesQuestion:
    """names: metrics; None: all that each run has. max_points: of each series, at least reduce.MIN_POINTS."""

    names: Sequence[str] | None = None
    max_points: int = EVERY_POINT
    steps: StepRange = (None, None)


def series_of_runs(runs: Iterable[Run], question: SeriesQuestion) -> Iterator[tuple[Run, ChartSeries]]:
    """Each metric of each run, in the order asked for; a run is read when its turn comes."""
    for run in runs:
        names = metric_names(run) if question.names is None else question.names
        first, last = question.steps
        for series in chart_series(run, names, max_points=question.max_points, first_step=first, last_step=last):
            yield run, series
