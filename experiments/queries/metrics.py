"""Reading a run's metrics: tables by step and by time, the reduced table of the V2 API, and series for charts.

Non-finite values are null in every table; charts mark where they happened. Rows come as JSON text, made when they are
asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.metrics import rows as row_format
from experiments.metrics.arrays import DenseColumn, RunArrays, load_run
from experiments.metrics.reduce import MIN_POINTS, MIN_ROWS, bucket_bounds, m4, pick_rows
from experiments.metrics.rows import Cells, Places, RowMap, Rows
from experiments.metrics.stores import ABSENT
from experiments.models import MetricKey, MetricSeries, Run, RunDetail
from runicorn.errors import InvalidInput

STEP, TIME, STAGE = "global_step", "time", "stage"
#: Axes of every record; a metric cannot have these names.
_AXES = frozenset({STEP, TIME, STAGE})
#: More marks of non-finite values than this say nothing more in a chart.
MAX_NON_FINITE_MARKS = 200
_INT64 = np.iinfo(np.int64)

StepRange = tuple[int | None, int | None]


@dataclass(frozen=True)
class Table:
    """columns: names. rows: one JSON object each. total_rows: before reduction. sampled: whether rows were left out."""

    columns: list[str]
    rows: Rows
    total_rows: int
    sampled: bool


@dataclass(frozen=True)
class FastTable:
    """As Table; total_rows counts after the step range.

    extremes_complete: whether each metric's lowest and highest value are in the rows; None unless rows were left out.
    """

    columns: list[str]
    rows: Rows
    total_rows: int
    extremes_complete: bool | None
    downsampled: bool


@dataclass(frozen=True)
class ChartSeries:
    """One metric's points to draw, by step; points of one step in log order.

    steps: int64 (k,). times: float64 (k,), Unix seconds, NaN if unknown. values: float64 (k,), finite.
    total_points: before reduction, non-finite ones included. non_finite: (step, "nan" | "inf" | "-inf"), thinned to
    MAX_NON_FINITE_MARKS; non_finite_count has them all. last_value: of the last point, None if that is not finite.
    """

    name: str
    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    total_points: int
    non_finite: list[tuple[int, str]]
    non_finite_count: int
    last_value: float | None
    last_step: int | None


def metric_names(run: Run) -> list[str]:
    """The run's metrics, sorted."""
    return list(MetricSeries.objects.filter(run=run).order_by("key__name").values_list("key__name", flat=True))


def non_finite_counts(run: Run) -> dict[str, int]:
    """By metric, how many of its points are NaN or infinite; metrics without such points are left out."""
    series = MetricSeries.objects.filter(run=run, non_finite_count__gt=0).order_by("key__name")
    return dict(series.values_list("key__name", "non_finite_count"))


def step_rows(run: Run) -> tuple[int, tuple[int, int] | None]:
    """How many rows ``metrics_by_step`` gives, and their first and last step; None if there are none."""
    steps = row_format.map_rows(load_run(run.pk, key_pks=(), with_times=False).steps, None).steps
    return len(steps), (int(steps[0]), int(steps[-1])) if len(steps) else None


def metrics_by_step(run: Run, *, downsample: int | None = None) -> Table:
    """One row a step, ascending; records that share a step are merged, the later value of a key wins.

    Columns are global_step, then the rest sorted; no columns and no rows if there are no records.
    downsample: as in ``metrics_fast``.
    """
    table = metrics_fast(run, downsample=downsample)
    return Table(table.columns, table.rows, table.total_rows, table.downsampled)


def metrics_fast(
    run: Run,
    *,
    metric_names: Sequence[str] | None = None,
    step_range: StepRange | None = None,
    downsample: int | None = None,
) -> FastTable:
    """The rows of ``metrics_by_step``, of some metrics, some steps, and reduced.

    metric_names: the columns after global_step, in this order, null where never logged; none: all.
    step_range: first and last step, inclusive; None: open. downsample: at most so many rows (at least 2), the first,
    the last and each metric's extremes among them (experiments/metrics/reduce.py, ``pick_rows``).
    Raises InvalidInput if downsample is smaller.
    """
    if downsample is not None and downsample < MIN_ROWS:
        raise InvalidInput(f"Cannot reduce to {downsample} rows; ask for at least {MIN_ROWS}.")
    names, is_split = _wanted(metric_names), has_several_files(run)
    arrays, columns = load_columns(run, names, with_times=is_split or not _AXES.isdisjoint(names))
    names = names or _present(columns)
    row_map = row_format.map_rows(arrays.steps, row_format.time_order(arrays.times) if is_split else None)
    chosen = _slice_of(row_map.steps, step_range)
    total = chosen.stop - chosen.start
    places: Places = chosen
    complete: bool | None = None
    if downsample is not None and total > downsample:
        known = [columns[name] for name in names if name in columns and name not in _AXES]
        metrics = [row_map.merged(column, chosen).numbers() for column in known]
        picked, complete = pick_rows(total, metrics, max_rows=downsample)
        places = picked + chosen.start
    cells: dict[str, Cells] = {STEP: lambda rows: row_format.int_cells(row_map.steps[rows])}
    cells |= {name: _merged_cells(row_map, columns.get(name)) for name in names}
    rows = Rows(cells, places)
    shown = [] if metric_names is None and not len(arrays) else list(cells)
    return FastTable(shown, rows, total, complete, downsampled=len(rows) < total)


def _merged_cells(row_map: RowMap, column: DenseColumn | None) -> Cells:
    """A column of a table by step; null where the metric was never logged."""
    if column is None:
        return lambda rows: [b"null"] * len(row_map.steps[rows])
    return lambda rows: row_format.json_cells(row_map.merged(column, rows))


def metrics_by_time(run: Run, *, downsample: int | None = None) -> Table:
    """One row a record, in log order. Columns are time (seconds since the first record), global_step, the rest sorted.

    downsample: as in ``metrics_fast``.
    """
    if downsample is not None and downsample < MIN_ROWS:
        raise InvalidInput(f"Cannot reduce to {downsample} rows; ask for at least {MIN_ROWS}.")
    arrays, columns = load_columns(run, None)
    total = len(arrays)
    if not total:
        return Table([], Rows({}, slice(0, 0)), 0, sampled=False)
    order = row_format.time_order(arrays.times) if has_several_files(run) else None
    names = [name for name in _present(columns) if name != TIME]
    places: Places = slice(0, total) if order is None else order
    if downsample is not None and total > downsample:
        metrics = [columns[name].take(places).numbers() for name in names if name not in _AXES]
        kept, _ = pick_rows(total, metrics, max_rows=downsample)
        places = kept if order is None else order[kept]
    times = arrays.times if order is None else arrays.times[order]
    known = np.flatnonzero(~np.isnan(times))
    begin = times[known[0]] if len(known) else 0.0
    cells: dict[str, Cells] = {
        TIME: lambda rows: row_format.float_cells(arrays.times[rows] - begin),
        STEP: lambda rows: row_format.int_cells(arrays.steps[rows]),
    }
    cells |= {name: _plain_cells(columns[name]) for name in names}
    rows = Rows(cells, places)
    return Table(list(cells), rows, total, sampled=len(rows) < total)


def _plain_cells(column: DenseColumn) -> Cells:
    """A column of a table by record."""
    return lambda rows: row_format.json_cells(column.take(rows))


def chart_series(
    run: Run,
    key_names: Sequence[str],
    *,
    max_points: int,
    first_step: int | None = None,
    last_step: int | None = None,
) -> Iterator[ChartSeries]:
    """The named metrics' points to draw, in the order asked for; a metric that was never logged has none.

    max_points: of each series, at least 4; per bucket the first, lowest, highest and last finite point are kept (M4).
    Each is made when it is asked for. first_step, last_step: inclusive. Raises InvalidInput if max_points is smaller.
    """
    if max_points < MIN_POINTS:
        raise InvalidInput(f"Cannot draw a series with {max_points} points; ask for at least {MIN_POINTS}.")
    if not key_names:
        return iter(())
    arrays, columns = load_columns(run, key_names)
    log_order = row_format.time_order(arrays.times) if has_several_files(run) else None
    order = row_format.map_rows(arrays.steps, log_order).order
    steps = arrays.steps if order is None else arrays.steps[order]
    chosen = _slice_of(steps, (first_step, last_step))
    places = np.arange(len(steps))[chosen] if order is None else order[chosen]
    return (_chart_series(name, arrays, columns.get(name), places, max_points=max_points) for name in key_names)


def _chart_series(
    name: str, arrays: RunArrays, column: DenseColumn | None, places: npt.NDArray[np.intp], *, max_points: int
) -> ChartSeries:
    """places: the records to draw from, by step."""
    if column is None:
        return ChartSeries(name, np.empty(0, np.int64), np.empty(0), np.empty(0), 0, [], 0, None, None)
    numeric = column.is_number()[places]
    if not numeric.all():
        places = places[numeric]
    values = column.values[places]
    finite = np.isfinite(values)
    drawn, odd = (places, places[:0]) if finite.all() else (places[finite], places[~finite])
    kept = drawn[m4(column.values[drawn], max_points=max_points)]
    marked = odd if len(odd) <= MAX_NON_FINITE_MARKS else odd[bucket_bounds(len(odd), MAX_NON_FINITE_MARKS)[:-1]]
    marks = zip(arrays.steps[marked].tolist(), map(str, column.values[marked].tolist()), strict=True)
    return ChartSeries(
        name=name,
        steps=arrays.steps[kept],
        times=arrays.times[kept],
        values=column.values[kept],
        total_points=len(places),
        non_finite=list(marks),
        non_finite_count=len(odd),
        last_value=float(values[-1]) if len(places) and finite[-1] else None,
        last_step=int(arrays.steps[places[-1]]) if len(places) else None,
    )


def load_columns(
    run: Run, names: Sequence[str] | None, *, with_times: bool = True
) -> tuple[RunArrays, dict[str, DenseColumn]]:
    """The run's arrays and its columns by name, time and stage among them. names: only these; none: all.

    with_times: false if neither times nor stages are needed.
    """
    wanted = _wanted(names)
    if wanted:
        keys = dict(MetricKey.objects.filter(name__in=wanted).values_list("pk", "name"))
        arrays = load_run(run.pk, key_pks=keys, with_times=with_times)
    else:
        arrays = load_run(run.pk)
        keys = {pk: key.name for pk, key in MetricKey.objects.in_bulk(list(arrays.columns)).items()}
    columns = {keys[pk]: column for pk, column in arrays.columns.items() if keys[pk] not in _AXES}
    if not wanted or TIME in wanted:
        columns[TIME] = row_format.time_column(arrays)
    if not wanted or STAGE in wanted:
        columns[STAGE] = row_format.stage_column(arrays)
    return arrays, columns


def _wanted(names: Iterable[str] | None) -> list[str]:
    return [name for name in dict.fromkeys(names or ()) if name != STEP]


def _present(columns: Mapping[str, DenseColumn]) -> list[str]:
    """The names that any record has, sorted."""
    return sorted(name for name, column in columns.items() if (column.kinds != ABSENT).any())


def has_several_files(run: Run) -> bool:
    """Whether several writers logged, each into a file of its own.

    Their files are ingested one after the other, so their records are merged by time. In one file the order of its
    lines counts, also when the clock was set back.
    """
    offsets = RunDetail.objects.filter(run=run).values_list("event_offsets", flat=True).first()
    return offsets is not None and len(offsets) > 1


def _slice_of(steps: npt.NDArray[np.int64], step_range: StepRange | None) -> slice:
    """Which of the ascending steps lie in the range."""
    first, last = step_range or (None, None)
    start = 0 if first is None else int(steps.searchsorted(_clamped(first), "left"))
    end = len(steps) if last is None else int(steps.searchsorted(_clamped(last), "right"))
    return slice(start, max(start, end))


def _clamped(step: int) -> np.int64:
    return np.int64(min(max(step, _INT64.min), _INT64.max))
