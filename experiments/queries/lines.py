"""Lines of charts: a metric of a run over steps, time or another metric, reduced, and smoothed if asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.metrics.arrays import DenseColumn
from experiments.metrics.reduce import MIN_POINTS, bucket_bounds, m4
from experiments.metrics.rows import time_order
from experiments.metrics.smoothing import smoothed
from experiments.models import Run
from experiments.queries.metrics import MAX_NON_FINITE_MARKS, has_several_files, load_columns
from runicorn.errors import InvalidInput

#: Axes that every record has; any other name is a metric's.
STEP, RELATIVE, TIME = "step", "relative", "time"
#: Names that mean an axis of the records even where a metric is asked for.
_OF_TIMES = frozenset({"time", "stage"})
MAX_WEIGHT = 0.999999
Numbers = npt.NDArray[np.float64]
Places = slice | npt.NDArray[np.intp]


@dataclass(frozen=True)
class LineQuestion:
    """x: an axis or a metric. max_points: of each line, at least 4. first, last: of x, inclusive; None: open.

    smoothing: the weight of the debiased exponential average, 0 for none; it is taken over every point of the run.
    Raises InvalidInput for what is out of range.
    """

    x: str = STEP
    max_points: int = 1000
    first: float | None = None
    last: float | None = None
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.max_points < MIN_POINTS:
            raise InvalidInput(f"Cannot draw a line with {self.max_points} points; ask for at least {MIN_POINTS}.")
        if not 0 <= self.smoothing <= MAX_WEIGHT:
            raise InvalidInput(f"Smoothing is a weight from 0 to {MAX_WEIGHT}, not {self.smoothing:g}.")


@dataclass(frozen=True)
class Line:
    """x: float64 (k,), int64 where it is the step; y: float64 (k,), finite. In the order of drawing, per bucket the
    first, lowest, highest and last (M4).

    steps: int64 (k,), or None where x is the step. smooth_x, smooth_y: the smoothed line, reduced by itself; empty
    without smoothing. total: points in the range before reduction, non-finite ones included. non_finite: (x, "nan" |
    "inf" | "-inf"), thinned; non_finite_count has them all. last_value: None if the last point is not finite.
    """

    x: Numbers | npt.NDArray[np.int64]
    y: Numbers
    steps: npt.NDArray[np.int64] | None
    smooth_x: Numbers | npt.NDArray[np.int64]
    smooth_y: Numbers
    total: int
    non_finite: list[tuple[float, str]]
    non_finite_count: int
    last_value: float | None
    last_step: int | None


_EMPTY = np.empty(0)
NO_LINE = Line(_EMPTY, _EMPTY, None, _EMPTY, _EMPTY, 0, [], 0, None, None)


def lines_of(run: Run, names: Sequence[str], question: LineQuestion) -> Iterator[Line]:
    """A line for each of the metrics, in the order asked for, each made when it is asked for."""
    by_metric, by_time = question.x not in (STEP, RELATIVE, TIME), question.x in (RELATIVE, TIME)
    is_split = has_several_files(run)
    # of 100 runs the times are a third of what is read and kept
    wanted = [*names, question.x] if by_metric else names
    arrays, columns = load_columns(run, wanted, with_times=by_time or is_split or not _OF_TIMES.isdisjoint(wanted))
    if by_metric:
        axis = _by_step(columns.get(question.x), arrays.steps)
    elif question.x == STEP:
        axis = arrays.steps.astype(np.float64)
    else:
        begin = run.created_at if run.started_at is None else run.started_at
        axis = arrays.times - (begin if question.x == RELATIVE else 0.0)
    log_order = time_order(arrays.times) if is_split else None
    order = _order(axis if by_time else arrays.steps, log_order)
    records = _Records(arrays.steps[order], axis[order])
    return (_line(columns.get(name), records, order, question) for name in names)


def _by_step(column: DenseColumn | None, steps: npt.NDArray[np.int64]) -> Numbers:
    """float64 (n,): of each record the metric's value at its step, which another record may hold; NaN if none does."""
    if column is None:
        return np.full(len(steps), np.nan)
    places = np.flatnonzero(np.isfinite(column.numbers()))
    places = places[np.argsort(steps[places], kind="stable")]  # of several at one step the last
    known = steps[places]
    found = np.searchsorted(known, steps, "right") - 1
    is_there = (found >= 0) & (known[found] == steps) if len(known) else np.zeros(len(steps), np.bool_)
    axis = np.full(len(steps), np.nan)
    axis[is_there] = column.values[places[found[is_there]]]
    return axis


@dataclass(frozen=True)
class _Records:
    """The run's records in the order of drawing."""

    steps: npt.NDArray[np.int64]
    axis: Numbers


def _order(by: Numbers | npt.NDArray[np.int64], log_order: npt.NDArray[np.intp] | None) -> Places:
    """Records by ``by``, equal ones in log order. A slice if they lie so already: indexing by it copies nothing."""
    sorted_by = by if log_order is None else by[log_order]
    if bool((sorted_by[1:] >= sorted_by[:-1]).all()):
        return slice(None) if log_order is None else log_order
    order = np.argsort(sorted_by, kind="stable")
    return order if log_order is None else log_order[order]


def _line(column: DenseColumn | None, records: _Records, order: Places, question: LineQuestion) -> Line:
    if column is None:
        return NO_LINE
    steps, axis, values = records.steps, records.axis, column.values[order]
    usable = column.is_number()[order] & ~np.isnan(axis) if question.x != STEP else column.is_number()[order]
    steps, axis, values = _only(usable, steps, axis, values)
    finite = np.isfinite(values)
    _, odd_axis, odd = _only(~finite, steps, axis, values)
    last = (None, None) if not len(values) else (float(values[-1]) if finite[-1] else None, int(steps[-1]))
    steps, axis, values = _only(finite, steps, axis, values)
    average = smoothed(values, weight=question.smoothing) if question.smoothing else _EMPTY
    inside, odd_inside = _range(axis, question), _range(odd_axis, question)
    drawn_axis = (steps if question.x == STEP else axis)[inside]
    kept = m4(values[inside], max_points=question.max_points)
    smooth_kept = m4(average[inside], max_points=question.max_points) if question.smoothing else kept[:0]
    marks = odd_axis[odd_inside], odd[odd_inside]
    return Line(
        x=drawn_axis[kept],
        y=values[inside][kept],
        steps=None if question.x == STEP else steps[inside][kept],
        smooth_x=drawn_axis[smooth_kept],
        smooth_y=average[inside][smooth_kept] if question.smoothing else _EMPTY,
        total=len(axis[inside]) + len(marks[0]),
        non_finite=_thinned_marks(*marks),
        non_finite_count=len(marks[0]),
        last_value=last[0],
        last_step=last[1],
    )


def _only(
    wanted: npt.NDArray[np.bool_], steps: npt.NDArray[np.int64], axis: Numbers, values: Numbers
) -> tuple[npt.NDArray[np.int64], Numbers, Numbers]:
    return (steps, axis, values) if wanted.all() else (steps[wanted], axis[wanted], values[wanted])


def _range(axis: Numbers, question: LineQuestion) -> slice | npt.NDArray[np.bool_]:
    """What of an axis lies in the range. A line that leaves it and comes back keeps the points inside only."""
    if question.first is None and question.last is None:
        return slice(None)
    first = -np.inf if question.first is None else question.first
    last = np.inf if question.last is None else question.last
    return (axis >= first) & (axis <= last)


def _thinned_marks(axis: Numbers, values: Numbers) -> list[tuple[float, str]]:
    if len(axis) > MAX_NON_FINITE_MARKS:
        some = bucket_bounds(len(axis), MAX_NON_FINITE_MARKS)[:-1]
        axis, values = axis[some], values[some]
    return list(zip(axis.tolist(), map(str, values.tolist()), strict=True))
