"""The first page: what runs, what just ended, what alerted, how much was done lately, and the projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.db.models import Count, F, FloatField
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import Coalesce, Floor

from experiments.models import Alert, Project, Run
from experiments.queries.shown_runs import ambiguous_ids, run_address, state_of, stopped_at, visible_runs
from experiments.queries.storage import Storage, storage

SHOWN_RUNS = 12
SHOWN_ALERTS = 8
SHOWN_PROJECTS = 12
WEEKS = 12
_DAY_S = 86_400
#: How dark a day of the picture is: from so many runs on, as a share of the busiest day.
_SHADES = (0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class RunLine:
    """A run in a list of this page. address: the query that its link needs, mostly none."""

    run: Run
    address: str
    state: str
    started_at: float
    stopped_at: float | None


@dataclass(frozen=True)
class AlertLine:
    alert: Alert
    address: str


@dataclass(frozen=True)
class Day:
    """A square of the picture. week: column from 0, the oldest; weekday: row from 0, Monday. shade: 0 to 4."""

    date: str
    week: int
    weekday: int
    count: int
    shade: int


@dataclass(frozen=True)
class Overview:
    """running_count: of all, also of those that are not listed; run_count: of the last weeks."""

    has_runs: bool
    running: list[RunLine]
    running_count: int
    ended: list[RunLine]
    alerts: list[AlertLine]
    days: list[Day]
    run_count: int
    busiest: Day | None
    projects: list[Project]
    project_count: int
    storage: Storage


def overview(*, now: float, zone: tzinfo) -> Overview:
    """now: Unix seconds. zone: whose days the picture has."""
    runs = visible_runs().select_related("root")
    running = list(runs.filter(status=Run.Status.RUNNING).order_by("silent", "-created_at", "run_id")[:SHOWN_RUNS])
    # a run of 0.1 may have ended without saying when
    by_end = Coalesce("ended_at", "updated_at").desc()
    ended = list(runs.exclude(status=Run.Status.RUNNING).order_by(by_end, "run_id")[:SHOWN_RUNS])
    alerts = list(Alert.objects.filter(run__in=visible_runs()).select_related("run__root")[:SHOWN_ALERTS])
    ambiguous = ambiguous_ids({run.run_id for run in [*running, *ended, *(alert.run for alert in alerts)]})
    days = _days(now=now, zone=zone)
    projects = Project.objects.filter(run_count__gt=0).order_by("-newest_at", "name")
    return Overview(
        has_runs=bool(running or ended) or visible_runs().exists(),
        running=_lines(running, ambiguous),
        running_count=visible_runs().filter(status=Run.Status.RUNNING).count(),
        ended=_lines(ended, ambiguous),
        alerts=[AlertLine(alert, run_address(alert.run, ambiguous=alert.run.run_id in ambiguous)) for alert in alerts],
        days=days,
        run_count=sum(day.count for day in days),
        busiest=max(days, key=lambda day: day.count) if any(day.count for day in days) else None,
        projects=list(projects[:SHOWN_PROJECTS]),
        project_count=projects.count(),
        storage=storage(),
    )


def _lines(runs: Sequence[Run], ambiguous: set[str]) -> list[RunLine]:
    return [
        RunLine(
            run,
            run_address(run, ambiguous=run.run_id in ambiguous),
            state_of(run),
            run.created_at if run.started_at is None else run.started_at,
            None if state_of(run) == "running" else stopped_at(run) or run.updated_at,
        )
        for run in runs
    ]


def _days(*, now: float, zone: tzinfo) -> list[Day]:
    """How many runs began on each day of the last weeks; the first week is whole, the last ends today."""
    today = datetime.fromtimestamp(now, tz=zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    # days of 24 hours: where clocks were changed a run of that hour may be counted on the day beside
    number = Floor(ExpressionWrapper((F("created_at") - first.timestamp()) / _DAY_S, output_field=FloatField()))
    runs = visible_runs().filter(created_at__gte=first.timestamp(), created_at__lt=now + _DAY_S)
    counts = {int(day): count for day, count in runs.values_list(number).annotate(Count("pk")).order_by()}
    most = max(counts.values(), default=0)
    return [
        Day(
            date=(first + timedelta(days=day)).date().isoformat(),
            week=day // 7,
            weekday=day % 7,
            count=counts.get(day, 0),
            shade=sum(counts.get(day, 0) > share * most for share in _SHADES),
        )
        for day in range((today.date() - first.date()).days + 1)
    ]
