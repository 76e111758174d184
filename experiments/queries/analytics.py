"""Figures over many runs, each made by a few queries whatever the number of runs.

success_rate: of the runs that ended, how many finished (0 to 1); 0 if none ended. Durations are of ended runs, in
seconds. ``at`` and every time: Unix seconds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Avg, Count, F, FloatField, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from experiments.metrics.arrays import cache_hit_rate
from experiments.models import MetricSeries, Run
from experiments.queries.index_figures import index_figures
from experiments.queries.runs import in_roots, root_places
from experiments.query_times import average_query_time_ms

DAY_S = 86400.0
MIB = 1024 * 1024
#: What a page of the newest runs may take before health is worse for it, and what that costs of 100 points.
SLOW_QUERY_MS, SLOW_QUERY_COSTS = 100.0, 20
#: How large the index may grow before health is worse for it, in MB.
LARGE_INDEX_MB, LARGE_INDEX_COSTS = 1000.0, 10
#: The least score of each state of health.
HEALTH = [(95, "excellent"), (80, "good"), (60, "fair"), (0, "poor")]

_DURATION = F("ended_at") - Coalesce("started_at", "created_at")
_Rows = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class RunFigures:
    """Of the runs outside the recycle bin, but for ``deleted``."""

    deleted: int
    by_status: dict[str, int]
    by_project: dict[str, int]
    mean_duration_s: float
    last_activity: float | None

    @property
    def active(self) -> int:
        return sum(self.by_status.values())


def run_figures(*, root: str | None) -> RunFigures:
    """Two queries."""
    runs = in_roots(Run.objects.order_by(), root, root_places())
    groups = runs.filter(deleted_at=None).values("project", "status")
    rows = list(
        groups.annotate(
            count=Count("pk"),
            ended=Count("ended_at"),
            duration=Sum(_DURATION, output_field=FloatField()),
            last=Max("updated_at"),
        )
    )
    by_status, by_project = Counter[str](), Counter[str]()
    for row in rows:
        by_status[row["status"]] += row["count"]
        if row["project"] is not None:
            by_project[row["project"]] += row["count"]
    ended = sum(row["ended"] for row in rows)
    return RunFigures(
        deleted=runs.filter(deleted_at__isnull=False).count(),
        by_status=dict(sorted(by_status.items())),
        by_project=dict(sorted(by_project.items())),
        mean_duration_s=sum(row["duration"] or 0.0 for row in rows) / ended if ended else 0.0,
        last_activity=max((row["last"] for row in rows), default=None),
    )


def summary(*, root: str | None, at: float) -> dict[str, Any]:
    figures = run_figures(root=root)
    return {
        "total_experiments": figures.active + figures.deleted,
        "active_experiments": figures.active,
        "deleted_experiments": figures.deleted,
        "by_status": figures.by_status,
        "by_project": figures.by_project,
        "success_rate": _success_rate(figures.by_status),
        "avg_duration_seconds": figures.mean_duration_s,
        "last_activity": figures.last_activity,
        "generated_at": at,
    }


def overview(*, root: str | None, at: float) -> dict[str, Any]:
    """Storage sizes are those of the index, which is what this API reads."""
    figures, index = run_figures(root=root), index_figures()
    points = MetricSeries.objects.filter(run__in=in_roots(Run.objects.order_by(), root, root_places()))
    performance = {"avg_query_time_ms": average_query_time_ms(), "cache_hit_rate": cache_hit_rate()}
    counts = {"total_experiments": figures.active + figures.deleted, "active_experiments": figures.active}
    size_mb = round(index.size_bytes / MIB, 2)
    return {
        "overview": {
            **counts,
            "running_experiments": figures.by_status.get(Run.Status.RUNNING, 0),
            "success_rate": _success_rate(figures.by_status),
            "avg_experiment_duration": figures.mean_duration_s,
            "storage_size_mb": size_mb,
            "query_performance": performance,
        },
        "storage_info": {
            **_KIND_OF_STORAGE,
            "statistics": {
                **counts,
                "deleted_experiments": figures.deleted,
                "total_metrics_points": points.aggregate(count=Sum("count"))["count"] or 0,
                "storage_size_bytes": index.size_bytes,
                **performance,
                "db_size_mb": size_mb,
                "db_fragmentation_pct": index.fragmentation_pct,
                "updated_at": at,
            },
            "performance": performance,
        },
        "generated_at": at,
    }


def project_figures(*, days: int, root: str | None, at: float) -> dict[str, Any]:
    """Of the runs of the last ``days``, by project; one query."""
    rows = (
        _recent(days, root, at)
        .filter(project__isnull=False)
        .values("project")
        .annotate(
            total=Count("pk"),
            **{status: Count("pk", filter=Q(status=status)) for status in Run.Status.values},
            avg_best_metric=Avg("best_metric_value"),
            last_activity=Max("updated_at"),
        )
    )
    projects = [{**row, "success_rate": _success_rate(row)} for row in rows]
    for project in projects:
        del project[Run.Status.INTERRUPTED]  # not documented
    projects.sort(key=lambda project: str(project["project"]))
    return {"projects": projects, "analysis_period_days": days, "generated_at": at}


def metric_trend(metric_name: str, *, project: str | None, days: int, root: str | None, at: float) -> dict[str, Any]:
    """A metric's value in each run of the last ``days``, oldest first.

    The value is the run's best one where that is the run's primary metric, else the last one, if it is finite.
    """
    runs = _recent(days, root, at)
    if project is not None:
        runs = runs.filter(project=project)
    columns = ("pk", "run_id", "created_at")
    trend = {
        pk: (created_at, run_id, value)
        for pk, run_id, created_at, value in MetricSeries.objects.filter(
            key__name=metric_name, run__in=runs, last_value__isnull=False
        ).values_list(*(f"run__{column}" for column in columns), "last_value")
    }
    best = runs.filter(best_metric_name=metric_name, best_metric_value__isnull=False)
    for pk, run_id, created_at, value in best.values_list(*columns, "best_metric_value"):
        trend[pk] = (created_at, run_id, value)
    points = sorted(trend.values())
    return {
        "metric_name": metric_name,
        "project": project,
        "trend_data": [{"id": run_id, "created_at": created, "value": value} for created, run_id, value in points],
        "statistics": _statistics([value for _, _, value in points]),
        "analysis_period_days": days,
        "generated_at": at,
    }


def health(*, at: float) -> dict[str, Any]:
    """How the index does: 100 points, less for a slow query and for a large database."""
    started = time.perf_counter()
    newest = Run.objects.filter(deleted_at=None).order_by("-created_at", "run_id")
    list(newest.values_list("pk", "project", "status", "updated_at")[:50])
    query_ms = round((time.perf_counter() - started) * 1000, 3)
    size_mb = round(index_figures().size_bytes / MIB, 2)
    score, issues = 100.0, []
    if query_ms > SLOW_QUERY_MS:
        score -= SLOW_QUERY_COSTS
        issues.append(f"The test query took {query_ms:.0f} ms; the disk of the index is slow or busy.")
    if size_mb > LARGE_INDEX_MB:
        score -= LARGE_INDEX_COSTS
        issues.append(f"The index has {size_mb:.0f} MB; delete runs that are not needed any more.")
    return {
        "health_status": next(state for least, state in HEALTH if score >= least),
        "health_score": score,
        "issues": issues,
        "performance": {
            "test_query_time_ms": query_ms,
            "avg_query_time_ms": average_query_time_ms(),
            "cache_hit_rate": cache_hit_rate(),
        },
        "storage": {
            **_KIND_OF_STORAGE,
            "db_size_mb": size_mb,
            "total_experiments": in_roots(Run.objects.all(), None, root_places()).count(),
        },
        "checked_at": at,
    }


#: The reference's words: files and an index of them.
_KIND_OF_STORAGE = {"storage_type": "hybrid", "backend_type": "index"}


def _recent(days: int, root: str | None, at: float) -> QuerySet[Run]:
    runs = Run.objects.filter(deleted_at=None, created_at__gte=at - days * DAY_S).order_by()
    return in_roots(runs, root, root_places())


def _success_rate(counts: Any) -> float:
    """counts: by status."""
    ended = sum(counts.get(status, 0) for status in Run.Status.values if status != Run.Status.RUNNING)
    return counts.get(Run.Status.FINISHED, 0) / ended if ended else 0.0


def _statistics(values: list[float]) -> dict[str, Any]:
    """The deviation is that of a whole population. Figures beyond float64 are null in the answer, as is none at all."""
    if not values:
        return {"total_experiments": 0, "mean_value": None, "std_dev": None, "min_value": None, "max_value": None}
    numbers = np.array(values)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(numbers.mean()), float(numbers.std())
    return {
        "total_experiments": len(values),
        "mean_value": mean,
        "std_dev": deviation,
        "min_value": float(numbers.min()),
        "max_value": float(numbers.max()),
    }
