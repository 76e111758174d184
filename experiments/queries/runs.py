"""Reads of runs: one by its id, and the plain list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from experiments.models import Run, StorageRoot
from runicorn.storage import layout


def find_runs(run_id: str, *, root: str | None, path: str | None, include_deleted: bool) -> list[Run]:
    """All runs with that id in enabled roots, best first: local root, then the newest sign of life, then the path."""
    runs = Run.objects.filter(run_id=run_id, root__enabled=True).select_related("root")
    if root is not None:
        runs = runs.filter(root__key=root)
    if path is not None:
        runs = runs.filter(path=path)
    if not include_deleted:
        runs = runs.filter(deleted_at=None)
    return sorted(runs, key=_preference)


def _preference(run: Run) -> tuple[bool, float, str]:
    return run.root.key != StorageRoot.LOCAL, -(run.last_sign_at or run.updated_at), run.path


def other_places(run: Run) -> list[dict[str, str]]:
    """Where else a run with this id lies: ``{"root", "path"}`` of each."""
    runs = find_runs(run.run_id, root=None, path=None, include_deleted=False)
    return [{"root": other.root.key, "path": other.path} for other in runs if other.pk != run.pk]


@dataclass(frozen=True)
class RunListFilters:
    """What narrows ``GET /api/runs``; None everywhere means all runs outside the recycle bin."""

    project: str | None = None
    name: str | None = None
    statuses: Sequence[str] | None = None
    root: str | None = None


@dataclass(frozen=True)
class Position:
    """The last run of a slice; the next slice begins behind it."""

    created_at: float
    run_id: str
    key: int


@dataclass(frozen=True)
class RunSlice:
    """Part of a list: its runs as API items, and where the next part begins (None at the end)."""

    items: list[dict[str, Any]]
    next_position: Position | None


def run_list_slice(
    filters: RunListFilters, *, after: Position | None = None, offset: int = 0, size: int = 500
) -> RunSlice:
    """At most ``size`` runs, newest first, ties by id.

    Slices are found by position and not by one open cursor: a client that reads slowly must not hold a transaction,
    which would keep the index's log from being folded back. A run that appears meanwhile is not in the list.
    """
    runs = _filtered(filters).order_by("-created_at", "run_id", "pk")
    if after is not None:
        runs = runs.filter(_behind(after))
    rows = list(runs.values_list(*_LIST_COLUMNS)[offset : offset + size])
    return RunSlice(
        items=list(_list_items(rows)),
        next_position=Position(rows[-1][4], rows[-1][1], rows[-1][0]) if len(rows) == size else None,
    )


def _filtered(filters: RunListFilters) -> QuerySet[Run]:
    runs = Run.objects.filter(deleted_at=None)
    if filters.project is not None:
        runs = runs.filter(project=filters.project)
    if filters.name is not None:
        runs = runs.filter(name=filters.name)
    if filters.statuses is not None:
        runs = runs.filter(status__in=filters.statuses)
    return in_roots(runs, filters.root)


def in_roots(runs: QuerySet[Run], key: str | None) -> QuerySet[Run]:
    """The runs of one root, or of all enabled ones.

    Excluding the disabled (mostly none) leaves the planner its index by time; asking for the enabled would not.
    """
    if key is not None:
        return runs.filter(root__key=key, root__enabled=True)
    disabled = list(StorageRoot.objects.filter(enabled=False).values_list("pk", flat=True))
    return runs.exclude(root_id__in=disabled) if disabled else runs


def _behind(position: Position) -> Q:
    # the first condition is implied by the second, but it alone is one range of the index
    return Q(created_at__lte=position.created_at) & (
        Q(created_at__lt=position.created_at)
        | Q(run_id__gt=position.run_id)
        | Q(run_id=position.run_id, pk__gt=position.key)
    )


_LIST_COLUMNS = (
    "pk",
    "run_id",
    "root_id",
    "path",
    "created_at",
    "ended_at",
    "status",
    "pid",
    "best_metric_value",
    "best_metric_name",
    "project",
    "name",
    "artifacts_created_count",
    "artifacts_used_count",
    "tags",
)


def _list_items(rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    roots = root_places()
    for _, run_id, root_id, path, created_at, ended_at, *others, tags in rows:
        root_key, root_path = roots[root_id]
        status, pid, best_value, best_name, project, name, created_count, used_count = others
        yield {
            "id": run_id,
            "run_dir": f"{root_path}/{path}",
            "created_time": created_at,
            "status": status,
            "pid": pid,
            "best_metric_value": best_value,
            "best_metric_name": best_name,
            "project": project,
            "name": name,
            "artifacts_created_count": created_count,
            "artifacts_used_count": used_count,
            "created_at": created_at,
            "ended_at": ended_at,
            "tags": orjson.Fragment(tags),
            "root": root_key,
        }


def root_places() -> dict[int, tuple[str, str]]:
    """Key and path of every storage root, by primary key: fewer than runs, so a join is not worth it."""
    return {pk: (key, path) for pk, key, path in StorageRoot.objects.values_list("pk", "key", "path")}


def run_item(run: Run) -> dict[str, Any]:
    """One run as ``GET /api/runs/{run_id}`` gives it. ``run.root`` must be loaded."""
    directory = run.directory
    events = f"{directory}/{layout.EVENTS}"
    return {
        "id": run.run_id,
        "status": run.status,
        "pid": run.pid,
        "run_dir": directory,
        "project": run.project,
        "name": run.name,
        "logs": f"{directory}/{layout.LOGS}",
        "metrics": events,
        "metrics_step": events,
        "artifacts_created_count": run.artifacts_created_count,
        "artifacts_used_count": run.artifacts_used_count,
        "created_time": run.created_at,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "exit_reason": run.exit_reason,
        "best_metric_value": run.best_metric_value,
        "best_metric_name": run.best_metric_name,
        "best_metric_step": run.best_metric_step,
        "best_metric_mode": run.best_metric_mode,
        "summary": run.detail.summary if hasattr(run, "detail") else {},
        "hostname": run.hostname,
        "tags": orjson.loads(run.tags),
        "root": run.root.key,
        "path": run.path,
        "also_in": other_places(run),
    }
