"""Groups of the runs table: how many runs have each value of a field, and what their numbers come to.

Nested groups are asked for one level at a time: inside of a group the filter says which.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from experiments.models import Run, ValueKey
from experiments.queries.table.choice import TableChoice
from experiments.queries.table.columns import Column
from experiments.queries.table.page import matching_runs, vocabulary_of
from experiments.query_language.fields import (
    METRICS,
    STATISTICS,
    Field,
    Kind,
    Vocabulary,
    run_expression,
    series_of,
    values_of,
)
from experiments.query_language.parser import quoted
from runicorn.errors import InvalidInput

GROUPS_PER_PAGE = 50
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """What a column's numbers come to in one group. count: runs that have one. deviation: of the sample."""

    count: int
    mean: float
    deviation: float | None
    lowest: float
    highest: float


@dataclass(frozen=True)
class Group:
    """value: None of the runs that have none. condition: the filter that finds them. inside: what shows them."""

    value: str | float | None
    condition: str
    inside: TableChoice
    run_count: int
    spreads: Sequence[tuple[Column, Spread | None]]

    @property
    def key(self) -> str:
        """Tells it from the others of its level in an address, whatever else is filtered and sorted."""
        return f"{zlib.crc32(self.condition.encode()):08x}"


@dataclass(frozen=True)
class GroupTable:
    """A page of groups. field: what they differ in."""

    choice: TableChoice
    field: Column
    columns: list[Column]
    page: Page[Group]
    total: int


def group_table(choice: TableChoice, *, page_number: str | int | None, now: float, zone: tzinfo) -> GroupTable:
    """The groups of the first field of ``choice.group``. Raises InvalidInput if none has two runs."""
    field = choice.group_fields[0]
    if field.kind in (Kind.TIME, Kind.DURATION):
        raise InvalidInput(f"Each run has a {field} of its own; group by something that several runs share.")
    words = vocabulary_of(choice, now=now)
    runs = matching_runs(choice, now=now, zone=zone)
    keys = list(runs.values_list("pk", flat=True))
    places = {key: place for place, key in enumerate(keys)}
    values = _values(field, runs, words)
    distinct = sorted(dict.fromkeys(values.get(key) for key in keys), key=_natural)
    numbers = {value: number for number, value in enumerate(distinct)}
    group_of = np.array([numbers[values.get(key)] for key in keys], dtype=np.int64)
    counts = np.bincount(group_of, minlength=len(distinct))
    columns = [Column.of(shown) for shown in choice.column_fields]
    spreads = {
        column: _spreads(_numbers(column.field, runs, words, places), group_of, len(distinct)) for column in columns
    }
    groups = []
    for number, value in enumerate(distinct):
        condition = condition_for(field, value)
        inside = replace(choice.with_condition(condition), group=",".join(map(str, choice.group_fields[1:])))
        groups.append(
            Group(
                value, condition, inside, int(counts[number]), [(column, spreads[column][number]) for column in columns]
            )
        )
    _sort(groups, choice, columns)
    page: Page[Group] = Paginator(groups, GROUPS_PER_PAGE).get_page(page_number)
    return GroupTable(choice, Column.of(field), columns, page, len(keys))


def condition_for(field: Field, value: str | float | None) -> str:
    """The filter that finds the runs whose ``field`` is ``value``."""
    if value is None:
        return f"{field} = null"
    if isinstance(value, str):
        return f"{field} = {quoted(value)}"
    return f"{field} = {value!r}"


def _values(field: Field, runs: QuerySet[Run], words: Vocabulary) -> Mapping[int, Any]:
    """By Run.pk; runs without a value are left out."""
    found = _column(field, runs, words, "text")
    if field.kind is Kind.SWITCH:
        return {key: "true" if value else "false" for key, value in found}
    return {key: value for key, value in found if value is not None}


def _numbers(field: Field, runs: QuerySet[Run], words: Vocabulary, places: Mapping[int, int]) -> Floats:
    """One a run, in the order of ``places``; NaN of those that have none."""
    numbers = np.full(len(places), np.nan)
    if field.kind in (Kind.NUMBER, Kind.DURATION, Kind.EITHER):
        for key, value in _column(field, runs, words, "number"):
            if value is not None and key in places:
                numbers[places[key]] = value
    return numbers


def _column(field: Field, runs: QuerySet[Run], words: Vocabulary, of_value: str) -> Iterable[tuple[int, Any]]:
    """(Run.pk, value). of_value: which column of a config or summary value. All runs' rows are read: a look into a
    dictionary costs less than naming the runs to the database.
    """
    if field.area == METRICS:
        return series_of(field, words).values_list("run_id", STATISTICS[field.statistic])
    if field.area in ValueKey.Area.values:
        return values_of(field, words).values_list("run_id", of_value)
    return runs.annotate(asked=run_expression(field.name, words)).values_list("pk", "asked")


def _spreads(numbers: Floats, group_of: npt.NDArray[np.int64], group_count: int) -> list[Spread | None]:
    present = np.isfinite(numbers)
    if not present.any():
        return [None] * group_count
    of, values = group_of[present], numbers[present]
    counts = np.bincount(of, minlength=group_count)
    means = np.bincount(of, weights=values, minlength=group_count) / np.maximum(counts, 1)
    squares = np.bincount(of, weights=(values - means[of]) ** 2, minlength=group_count)
    lowest, highest = np.full(group_count, np.inf), np.full(group_count, -np.inf)
    np.minimum.at(lowest, of, values)
    np.maximum.at(highest, of, values)
    return [
        Spread(
            count=int(counts[group]),
            mean=float(means[group]),
            deviation=float(np.sqrt(squares[group] / (counts[group] - 1))) if counts[group] > 1 else None,
            lowest=float(lowest[group]),
            highest=float(highest[group]),
        )
        if counts[group]
        else None
        for group in range(group_count)
    ]


def _natural(value: Any) -> tuple[int, float, str]:
    """Numbers by size, also those that are texts, then texts, then what has none."""
    if value is None:
        return (2, 0.0, "")
    try:
        return (0, float(value), "")
    except ValueError:
        return (1, 0.0, str(value))


def _sort(groups: list[Group], choice: TableChoice, columns: Sequence[Column]) -> None:
    """By the mean of the column that the table is sorted by, if it is one of numbers; else by value."""
    key = choice.sort_keys[0] if choice.sort_keys else None
    places = [place for place, column in enumerate(columns) if key and column.field == key.field]
    if not key or not places or not any(group.spreads[places[0]][1] for group in groups):
        return

    def rank(group: Group) -> tuple[bool, float]:
        spread = group.spreads[places[0]][1]
        return spread is None, 0.0 if spread is None else (-spread.mean if key.descending else spread.mean)

    groups.sort(key=rank)
