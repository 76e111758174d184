"""From records to the rows of a table, and from rows to JSON, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson

from experiments.metrics.arrays import DenseColumn, RunArrays
from experiments.metrics.block_format import Kind
from experiments.metrics.stores import ABSENT

#: Rows are made for so many cells at once: 1,000 rows of ten metrics, some 200 KB as JSON.
CELLS_AT_ONCE = 11_000
#: So many rows at once also if they are wide: each column costs some work, however few rows are asked for.
MIN_ROWS_AT_ONCE = 50
_NULL = b"null"

Places = npt.NDArray[np.intp] | slice
#: The cells of a column as JSON text, at the places that are asked for.
Cells = Callable[[Places], list[bytes]]


class Rows:
    """The rows of a table as JSON objects, each made when it is asked for.

    A client that reads slowly, or not at all, so costs the rows of one piece and not those of the table.
    """

    def __init__(self, columns: Mapping[str, Cells], places: Places) -> None:
        """places: where the rows lie in the columns; a slice has a start and a stop."""
        self._columns = columns
        self._places = places
        self._count = places.stop - places.start if isinstance(places, slice) else len(places)
        fields = (orjson.dumps(name).replace(b"%", b"%%") + b":%b" for name in columns)
        self._template = b"{" + b",".join(fields) + b"}"

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[orjson.Fragment]:
        return (row for some in self.slices() for row in some)

    @property
    def is_short(self) -> bool:
        """Whether all rows together make one piece of an answer."""
        return self._count <= self._rows_at_once

    @property
    def _rows_at_once(self) -> int:
        return max(MIN_ROWS_AT_ONCE, CELLS_AT_ONCE // max(1, len(self._columns)))

    def slices(self) -> Iterator[list[orjson.Fragment]]:
        """All rows, as many at once as make a piece of an answer."""
        size = self._rows_at_once
        return (self._between(first, min(first + size, self._count)) for first in range(0, self._count, size))

    def _between(self, first: int, end: int) -> list[orjson.Fragment]:
        """[100,000 rows of 10 columns: 110 ms; as dicts 220 ms]"""
        if isinstance(self._places, slice):
            places: Places = slice(self._places.start + first, self._places.start + end)
        else:
            places = self._places[first:end]
        cells = [cells_at(places) for cells_at in self._columns.values()]
        return [orjson.Fragment(self._template % row) for row in zip(*cells, strict=True)]


@dataclass(frozen=True)
class RowMap:
    """Which records make each row of a table with one row a step, ascending.

    steps: int64 (rows,). order: intp (records,), the records sorted by step, or None if they are so already.
    ends: intp (rows,), where in that order each row's last record lies, or None if every record is a row of its own.
    """

    steps: npt.NDArray[np.int64]
    order: npt.NDArray[np.intp] | None
    ends: npt.NDArray[np.intp] | None

    def merged(self, column: DenseColumn, rows: Places) -> DenseColumn:
        """The column at these rows: of the records that share a step, the last that has the key wins.

        rows: ascending; a slice has a start and a stop. Looks at no record before the first of them or behind the last.
        """
        if self.ends is None:
            return column.take(rows if self.order is None else self.order[rows])
        if isinstance(rows, slice):
            return self._merged_between(column, rows.start, rows.stop)
        if not len(rows):
            return column.take(rows)
        first = int(rows[0])
        return self._merged_between(column, first, int(rows[-1]) + 1).take(rows - first)

    def _merged_between(self, column: DenseColumn, first: int, stop: int) -> DenseColumn:
        assert self.ends is not None
        begin = int(self.ends[first - 1]) + 1 if first else 0
        ends = self.ends[first:stop] - begin
        records = slice(begin, begin + int(ends[-1]) + 1 if len(ends) else begin)
        return _last_of_each(column.take(records if self.order is None else self.order[records]), ends)


def _last_of_each(column: DenseColumn, ends: npt.NDArray[np.intp]) -> DenseColumn:
    """One cell for each stretch of cells: the last that is present. ends: where the stretches' last cells lie."""
    count = len(column.kinds)
    present = column.kinds != ABSENT
    last = np.maximum.accumulate(np.where(present, np.arange(count), -1))[ends]
    begins = np.concatenate((np.zeros(min(1, len(ends)), np.intp), ends[:-1] + 1))
    merged = column.take(last)
    missing = last < begins
    merged.values[missing], merged.kinds[missing] = np.nan, ABSENT
    return merged


def map_rows(steps: npt.NDArray[np.int64], record_order: npt.NDArray[np.intp] | None) -> RowMap:
    """How records become rows. record_order: the log order, if it is not the order of the arrays."""
    if record_order is None and (steps[1:] > steps[:-1]).all():
        return RowMap(steps, None, None)
    order = record_order
    in_order = steps if order is None else steps[order]
    if (in_order[1:] < in_order[:-1]).any():
        by_step = in_order.argsort(kind="stable")
        order = by_step if order is None else order[by_step]
        in_order = steps[order]
    ends = np.flatnonzero(np.append(in_order[1:] != in_order[:-1], True))
    return RowMap(in_order[ends], order, None if len(ends) == len(steps) else ends)


def time_order(times: npt.NDArray[np.float64]) -> npt.NDArray[np.intp] | None:
    """The records of several writers merged by time, stably; None if they lie in that order already.

    times: float64 (n,); a record without a time stays behind the one before it.
    """
    known = ~np.isnan(times)
    if not known.all():
        latest_known = np.maximum.accumulate(np.where(known, np.arange(len(times)), -1))
        times = np.where(latest_known < 0, -np.inf, times[latest_known])
    if not (times[1:] < times[:-1]).any():
        return None
    return times.argsort(kind="stable")


def time_column(arrays: RunArrays) -> DenseColumn:
    kinds = np.where(np.isnan(arrays.times), ABSENT, int(Kind.FLOAT)).astype(np.uint8)
    return DenseColumn(arrays.times, kinds)


def stage_column(arrays: RunArrays) -> DenseColumn:
    kinds = np.where(arrays.stages < 0, ABSENT, int(Kind.TEXT)).astype(np.uint8)
    return DenseColumn(arrays.stages.astype(np.float64), kinds, arrays.stage_names)


def float_cells(values: npt.NDArray[np.float64]) -> list[bytes]:
    """Each number as JSON text, non-finite ones as null."""
    return _dumped(np.ascontiguousarray(values))


def int_cells(values: npt.NDArray[np.int64]) -> list[bytes]:
    """Each number as JSON text."""
    return _dumped(np.ascontiguousarray(values))


def json_cells(column: DenseColumn) -> list[bytes]:
    """Each cell as JSON text; absent ones and non-finite numbers are null."""
    kinds, values = column.kinds, column.values
    kind = int(kinds[0]) if len(kinds) else ABSENT
    if (kinds == kind).all():
        return _cells_of(kind, values, column)
    cells = np.full(len(kinds), _NULL, object)
    for kind in set(kinds.tolist()):
        chosen = kinds == kind
        cells[chosen] = np.array(_cells_of(kind, values[chosen], column), object)
    return cells.tolist()


def _cells_of(kind: int, values: npt.NDArray[np.float64], column: DenseColumn) -> list[bytes]:
    if kind == Kind.FLOAT:
        return _dumped(np.ascontiguousarray(values))  # NaN and infinities become null there
    if kind == Kind.INT:
        return _dumped(values.astype(np.int64))
    if kind == Kind.BOOL:
        return [b"true" if value else b"false" for value in values.tolist()]
    if kind == Kind.TEXT:
        texts = [orjson.dumps(text) for text in column.texts]
        return [texts[index] for index in values.astype(np.intp).tolist()]
    return [_NULL] * len(values)


def _dumped(numbers: npt.NDArray[np.generic]) -> list[bytes]:
    if not len(numbers):
        return []
    return orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
