"""A page of the runs table, the counts beside the filters, and what changed while the page is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from experiments.models import Run
from experiments.queries.filters import filter_in
from experiments.queries.runs import RunIdentity
from experiments.queries.shown_runs import STATES, ambiguous_ids, run_address, state_of, visible_runs
from experiments.queries.table.choice import TableChoice
from experiments.queries.table.columns import Cell, Column, cells_of
from experiments.queries.table.sorting import ordering_of
from experiments.query_language.fields import Vocabulary

RUNS_PER_PAGE = 50


@dataclass(frozen=True)
class RunRow:
    """One line of the table. address: the query that tells runs of one id apart, mostly empty. cells: one a column."""

    key: int
    identity: str
    run_id: str
    path: str
    address: str
    state: str
    display_name: str | None
    color_number: int
    last_sign_at: float | None
    cells: Sequence[tuple[Column, Cell]]


@dataclass(frozen=True)
class RunTable:
    """One page of the table and all that is printed around it. newest_key: the largest row key at this moment.

    unknown: fields in the filter that no run has. counts: by state; of all under ''.
    """

    choice: TableChoice
    columns: list[Column]
    page: Page[int]
    rows: list[RunRow]
    counts: dict[str, int]
    projects: list[str]
    experiments: list[str]
    newest_key: int
    unknown: Sequence[str]

    @property
    def total(self) -> int:
        return self.counts[self.choice.status]

    @property
    def pager_start(self) -> str:
        """The URL's query up to the page number."""
        query = self.choice.query_string()
        return f"?{query}&" if query else "?"


def run_table(choice: TableChoice, *, page_number: str | int | None, now: float, zone: tzinfo) -> RunTable:
    """The page of the table that ``choice`` asks for; a page number beyond the end gives the last page.

    now: Unix seconds; zone: of moments in the filter. Raises InvalidFilter.
    """
    newest_key = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    found = filter_in(choice.filter, now=now, zone=zone)
    words = vocabulary_of(choice, now=now)
    counts = state_counts(_narrowed(replace(choice, status=""), found.condition))
    # sorting whole rows costs four times as much as sorting their keys
    keys = _narrowed(choice, found.condition).order_by(*ordering_of(choice.sort_keys, words))
    paginator = Paginator(keys.values_list("pk", flat=True), RUNS_PER_PAGE)
    paginator.count = counts[choice.status]  # known already: the paginator asks no more
    page = paginator.get_page(page_number)
    columns = [Column.of(field) for field in choice.column_fields]
    return RunTable(
        choice=choice,
        columns=columns,
        page=page,
        rows=rows_of(list(page.object_list), columns, words),
        counts=counts,
        projects=_distinct("project", visible_runs()),
        experiments=_distinct("name", visible_runs().filter(project=choice.project)) if choice.project else [],
        newest_key=newest_key,
        unknown=found.unknown,
    )


def vocabulary_of(choice: TableChoice, *, now: float) -> Vocabulary:
    """The names that columns, order and groups use, looked up."""
    fields = [*choice.column_fields, *(key.field for key in choice.sort_keys), *choice.group_fields]
    return Vocabulary.of(fields, now=now)


def matching_runs(choice: TableChoice, *, now: float, zone: tzinfo) -> QuerySet[Run]:
    """The visible runs that ``choice`` leaves, unordered. Raises InvalidFilter."""
    return _narrowed(choice, filter_in(choice.filter, now=now, zone=zone).condition)


def _narrowed(choice: TableChoice, condition: Q) -> QuerySet[Run]:
    runs = visible_runs().filter(condition)
    if choice.project:
        runs = runs.filter(project=choice.project)
    if choice.experiment:
        runs = runs.filter(name=choice.experiment)
    if choice.status == "silent":
        runs = runs.filter(status=Run.Status.RUNNING, silent=True)
    elif choice.status == "running":
        runs = runs.filter(status=Run.Status.RUNNING, silent=False)
    elif choice.status:
        runs = runs.filter(status=choice.status)
    return runs.order_by()


def state_counts(runs: QuerySet[Run]) -> dict[str, int]:
    """How many of the runs each state has; the count of all of them under ''."""
    counts = dict.fromkeys(STATES, 0) | {"": 0}
    for status, silent, count in runs.values_list("status", "silent").annotate(Count("pk")):
        state = "silent" if silent and status == Run.Status.RUNNING else status
        counts[state] += count
        counts[""] += count
    return counts


def rows_of(keys: Sequence[int], columns: Sequence[Column], words: Vocabulary) -> list[RunRow]:
    """The rows of these runs (Run.pk) that are still there, in this order."""
    by_key = {run.pk: run for run in Run.objects.filter(pk__in=keys).select_related("root")}
    runs = [by_key[key] for key in keys if key in by_key]
    ambiguous = ambiguous_ids({run.run_id for run in runs})
    cells: Mapping[int, list[Cell]] = cells_of(runs, [column.field for column in columns], words)
    return [
        RunRow(
            key=run.pk,
            identity=str(RunIdentity.of(run)),
            run_id=run.run_id,
            path=run.path,
            address=run_address(run, ambiguous=run.run_id in ambiguous),
            state=state_of(run),
            display_name=run.display_name,
            color_number=run.color_number,
            last_sign_at=run.last_sign_at,
            cells=list(zip(columns, cells[run.pk], strict=True)),
        )
        for run in runs
    ]


def changed_rows(choice: TableChoice, keys: Iterable[int], *, now: float) -> list[RunRow]:
    """Fresh rows of those runs among ``keys`` that are still to be seen."""
    # no row has another key, and SQLite takes no number of more than 64 bits
    possible = [key for key in keys if 0 < key < 2**63][:RUNS_PER_PAGE]
    seen = list(visible_runs().filter(pk__in=possible).values_list("pk", flat=True))
    columns = [Column.of(field) for field in choice.column_fields]
    return rows_of(seen, columns, vocabulary_of(choice, now=now))


def count_newer(choice: TableChoice, *, newest_key: int, now: float, zone: tzinfo) -> int:
    """How many runs of ``choice`` were indexed after the row ``newest_key``."""
    return matching_runs(choice, now=now, zone=zone).filter(pk__gt=newest_key).count()


def _distinct(field: str, runs: QuerySet[Run]) -> list[str]:
    names = runs.order_by().values_list(field, flat=True).distinct()
    return sorted(name for name in names if name)
