"""What the runs table shows: a page of rows, the counts beside the filters, and what changed while the page is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import orjson
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, FloatField, OrderBy, Q, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce

from experiments.models import Run
from experiments.queries.runs import in_roots, root_places
from runicorn.errors import InvalidInput

RUNS_PER_PAGE = 50
#: Words of the status filter. "silent" is ours: running on disk, and no sign of life.
STATES = ("running", "silent", "finished", "failed", "interrupted")
SORTS = ("created", "experiment", "status", "duration", "best")
#: More words than this in the search box are a pasted text, not a search.
MAX_SEARCH_WORDS = 20


@dataclass(frozen=True)
class RunFilter:
    """The choices in the table's URL. Empty means "all"; ``sort`` begins with ``-`` for descending."""

    project: str = ""
    experiment: str = ""
    status: str = ""
    text: str = ""
    sort: str = "-created"

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> RunFilter:
        """Raises InvalidInput for a status or sort key that does not exist."""
        chosen = cls(
            project=query.get("project", ""),
            experiment=query.get("experiment", ""),
            status=query.get("status", ""),
            text=query.get("q", "").strip(),
            sort=query.get("sort") or "-created",
        )
        if chosen.status and chosen.status not in STATES:
            raise InvalidInput(f"The status {chosen.status!r} is unknown; choose one of {', '.join(STATES)}.")
        if chosen.sort.removeprefix("-") not in SORTS:
            raise InvalidInput(f"Runs cannot be sorted by {chosen.sort!r}; choose one of {', '.join(SORTS)}.")
        return chosen

    @property
    def is_active(self) -> bool:
        """Whether some runs are left out."""
        return bool(self.project or self.experiment or self.status or self.text)

    @property
    def shows_newest_first(self) -> bool:
        return self.sort == "-created"

    def query_string(self, *, page: int = 1, **changes: str) -> str:
        """The URL's query for these choices with ``changes``; what is left at its default is not written."""
        changed = replace(self, **changes)
        pairs = [
            ("project", changed.project),
            ("experiment", changed.experiment),
            ("status", changed.status),
            ("q", changed.text),
            ("sort", "" if changed.sort == "-created" else changed.sort),
            ("page", "" if page == 1 else str(page)),
        ]
        return urlencode([pair for pair in pairs if pair[1]])


@dataclass(frozen=True)
class RunRow:
    """One line of the table. address: the query that tells runs of one id apart, mostly empty."""

    key: int
    run_id: str
    path: str
    address: str
    state: str
    display_name: str | None
    project: str | None
    experiment: str | None
    created_at: float
    started_at: float
    ended_at: float | None
    last_sign_at: float | None
    best_metric_name: str | None
    best_metric_value: float | None
    best_metric_step: int | None
    tags: tuple[str, ...]

    @property
    def stopped_at(self) -> float | None:
        """Unix seconds up to which the duration counts; None while it grows."""
        return None if self.state == "running" else stopped_at(self)


@dataclass(frozen=True)
class RunTable:
    """One page of the table and all that is printed around it. newest_key: the largest row key at this moment."""

    choice: RunFilter
    page: Page[Run]
    rows: list[RunRow]
    counts: dict[str, int]
    projects: list[str]
    experiments: list[str]
    newest_key: int
    total: int

    @property
    def pager_start(self) -> str:
        """The URL's query up to the page number."""
        query = self.choice.query_string()
        return f"?{query}&" if query else "?"


def run_table(choice: RunFilter, *, page_number: str | int | None, now: float) -> RunTable:
    """The page of the table that ``choice`` asks for; a page number beyond the end gives the last page.

    now: Unix seconds, up to which the duration of a running run counts when sorting by it.
    """
    newest_key = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    counts = state_counts(replace(choice, status=""))
    shown = matching_runs(choice).select_related("root").order_by(*_ordering(choice.sort, now=now))
    paginator = Paginator(shown, RUNS_PER_PAGE)
    paginator.count = counts[choice.status]  # known already: the paginator asks no more
    page = paginator.get_page(page_number)
    return RunTable(
        choice=choice,
        page=page,
        rows=rows_of(list(page.object_list)),
        counts=counts,
        projects=_distinct("project", visible_runs()),
        experiments=_distinct("name", visible_runs().filter(project=choice.project)) if choice.project else [],
        newest_key=newest_key,
        total=counts[choice.status],
    )


def visible_runs() -> QuerySet[Run]:
    """All runs but those in the recycle bin and in roots that are switched off."""
    return in_roots(Run.objects.filter(deleted_at=None), None, root_places())


def matching_runs(choice: RunFilter) -> QuerySet[Run]:
    """The visible runs that ``choice`` leaves, unordered."""
    runs = visible_runs()
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
    for word in choice.text.casefold().split()[:MAX_SEARCH_WORDS]:
        runs = runs.filter(search_text__contains=word)
    return runs.order_by()


def state_counts(choice: RunFilter) -> dict[str, int]:
    """How many runs of ``choice`` each state has; the count of all of them under ''."""
    runs = matching_runs(choice)
    by_status = dict(runs.values_list("status").annotate(Count("pk")))
    running = by_status.get(Run.Status.RUNNING, 0)
    silent = runs.filter(status=Run.Status.RUNNING, silent=True).count() if running else 0
    counts = {state: by_status.get(state, 0) for state in STATES}
    counts |= {"": sum(by_status.values()), "running": running - silent, "silent": silent}
    return counts


def rows_of(runs: Sequence[Run]) -> list[RunRow]:
    """Rows for runs that were loaded with their root."""
    ambiguous = ambiguous_ids({run.run_id for run in runs})
    return [_row(run, ambiguous=run.run_id in ambiguous) for run in runs]


def changed_rows(keys: Iterable[int]) -> list[RunRow]:
    """Fresh rows of those runs among ``keys`` that are still to be seen."""
    # no row has another key, and SQLite takes no number of more than 64 bits
    possible = [key for key in keys if 0 < key < 2**63]
    return rows_of(list(visible_runs().filter(pk__in=possible[:RUNS_PER_PAGE]).select_related("root")))


def count_newer(choice: RunFilter, *, newest_key: int) -> int:
    """How many runs of ``choice`` were indexed after the row ``newest_key``."""
    return matching_runs(choice).filter(pk__gt=newest_key).count()


def ambiguous_ids(run_ids: Iterable[str]) -> set[str]:
    """Those ids that more than one run directory has: their links must say which."""
    runs = in_roots(Run.objects.filter(run_id__in=run_ids), None, root_places())
    same = runs.order_by().values("run_id").annotate(directories=Count("pk"))
    return set(same.filter(directories__gt=1).values_list("run_id", flat=True))


def run_address(run: Run, *, ambiguous: bool) -> str:
    """The query that a link to this run needs: none, unless its id is not unique."""
    return "?" + urlencode({"root": run.root.key, "path": run.path}) if ambiguous else ""


def state_of(run: Run) -> str:
    """The word of STATES for this run."""
    return "silent" if run.silent and run.status == Run.Status.RUNNING else run.status


def stopped_at(run: Run | RunRow) -> float | None:
    """When a run that runs no longer (or gives no sign) did its last thing, as far as the files tell."""
    return run.ended_at if run.ended_at is not None else run.last_sign_at


def tags_of(run: Run) -> tuple[str, ...]:
    """The run's tags in the order people gave them."""
    return tuple(orjson.loads(run.tags))


def _row(run: Run, *, ambiguous: bool) -> RunRow:
    return RunRow(
        key=run.pk,
        run_id=run.run_id,
        path=run.path,
        address=run_address(run, ambiguous=ambiguous),
        state=state_of(run),
        display_name=run.display_name,
        project=run.project,
        experiment=run.name,
        created_at=run.created_at,
        started_at=run.created_at if run.started_at is None else run.started_at,
        ended_at=run.ended_at,
        last_sign_at=run.last_sign_at,
        best_metric_name=run.best_metric_name,
        best_metric_value=run.best_metric_value,
        best_metric_step=run.best_metric_step,
        tags=tags_of(run),
    )


def _ordering(sort: str, *, now: float) -> list[OrderBy | str]:
    """Ends with the newest first, so that equal values keep their order from page to page."""
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    if key == "created":
        return ["-created_at" if descending else "created_at", "run_id"]
    if key == "experiment":
        return [_by(F(field), descending=descending) for field in ("project", "name")] + ["-created_at", "run_id"]
    if key == "status":
        return [_by(F(field), descending=descending) for field in ("status", "silent")] + ["-created_at", "run_id"]
    if key == "best":
        return [_by(F("best_metric_value"), descending=descending), "-created_at", "run_id"]
    still_running = When(Q(status=Run.Status.RUNNING, silent=False), then=Value(now))
    end = Case(still_running, default=Coalesce("ended_at", "last_sign_at"), output_field=FloatField())
    return [_by(end - Coalesce("started_at", "created_at"), descending=descending), "-created_at", "run_id"]


def _by(expression: F | CombinedExpression, *, descending: bool) -> OrderBy:
    return OrderBy(expression, descending=descending, nulls_last=True)


def _distinct(field: str, runs: QuerySet[Run]) -> list[str]:
    names = runs.order_by().values_list(field, flat=True).distinct()
    return sorted(name for name in names if name)
