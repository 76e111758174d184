"""The figures of a metric series, kept up as points arrive, without reading earlier points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.metrics.block_format import Axes, Column, Kind


@dataclass(frozen=True)
class SeriesFigures:
    """As MetricSeries: count includes non_finite_count; the rest describes the finite points. In log order."""

    count: int
    non_finite_count: int
    first_step: int
    last_step: int
    last_value: float | None
    min_value: float | None
    min_step: int | None
    max_value: float | None
    max_step: int | None
    mean_value: float | None


def figures_of(axes: Axes, columns: Mapping[str, Column]) -> dict[str, SeriesFigures]:
    """The figures of every column that has numbers. Booleans, texts and nulls are cells of tables, not points."""
    figures = {}
    for name, column in columns.items():
        steps = axes.steps if column.present is None else axes.steps[column.present]
        values = column.values
        if not isinstance(column.kinds, Kind):
            numeric = column.kinds <= Kind.INT
            steps, values = steps[numeric], values[numeric]
        elif column.kinds > Kind.INT:
            continue
        if len(values):
            figures[name] = _figures(steps, values)
    return figures


def _figures(steps: np.ndarray, values: np.ndarray) -> SeriesFigures:
    finite = np.isfinite(values)
    finite_count = int(finite.sum())
    last = float(values[-1])
    lowest = highest = mean = lowest_step = highest_step = None
    if finite_count:
        if finite_count < len(values):
            finite_steps, finite_values = steps[finite], values[finite]
        else:
            finite_steps, finite_values = steps, values
        at_min, at_max = int(finite_values.argmin()), int(finite_values.argmax())
        lowest, lowest_step = float(finite_values[at_min]), int(finite_steps[at_min])
        highest, highest_step = float(finite_values[at_max]), int(finite_steps[at_max])
        mean = float((finite_values / finite_count).sum())  # divided first: a sum of huge numbers overflows
    return SeriesFigures(
        count=len(values),
        non_finite_count=len(values) - finite_count,
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        last_value=last if bool(finite[-1]) else None,
        min_value=lowest,
        min_step=lowest_step,
        max_value=highest,
        max_step=highest_step,
        mean_value=mean,
    )


def merge_figures(parts: Iterable[SeriesFigures]) -> SeriesFigures:
    """The figures of points that were logged one part after the other. parts: at least one."""
    first, *rest = parts
    for part in rest:
        first = _merge(first, part)
    return first


def _merge(a: SeriesFigures, b: SeriesFigures) -> SeriesFigures:
    lower = a if b.min_value is None or (a.min_value is not None and a.min_value <= b.min_value) else b
    higher = a if b.max_value is None or (a.max_value is not None and a.max_value >= b.max_value) else b
    finite_a, finite_b = a.count - a.non_finite_count, b.count - b.non_finite_count
    mean = None
    if finite_a + finite_b:
        share = finite_b / (finite_a + finite_b)
        mean = (a.mean_value or 0.0) * (1 - share) + (b.mean_value or 0.0) * share
    return SeriesFigures(
        count=a.count + b.count,
        non_finite_count=a.non_finite_count + b.non_finite_count,
        first_step=a.first_step,
        last_step=b.last_step,
        last_value=b.last_value,
        min_value=lower.min_value,
        min_step=lower.min_step,
        max_value=higher.max_value,
        max_step=higher.max_step,
        mean_value=mean,
    )
