"""Reads of runs: one by its id, and the plain list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import orjson
from django.db.models import Q, QuerySet

from experiments.models import Run, StorageRoot
from runicorn.storage import layout

#: SQLite of old builds takes 999 parameters.
PATHS_A_QUERY = 600


class RunIdentity(NamedTuple):
    """What a run is known by, whatever the index: the key of its storage root, and its path below it."""

    root: str
    path: str

    @classmethod
    def of(cls, run: Run) -> RunIdentity:
        return cls(run.root.key, run.path)

    @classmethod
    def from_text(cls, text: str) -> RunIdentity:
        """What ``str()`` gave."""
        root, _, path = text.partition("/")
        return cls(unquote(root), path)

    def __str__(self) -> str:
        return f"{quote(self.root, safe='')}/{self.path}"


def identities_text(runs: Iterable[Run]) -> str:
    """The identities of runs as one text for a form's hidden field; ``root`` is loaded."""
    return orjson.dumps([str(RunIdentity.of(run)) for run in runs]).decode()


def identities_in(text: str) -> list[RunIdentity]:
    """What ``identities_text`` wrote; nothing if it was tampered with."""
    return [RunIdentity.from_text(named) for named in texts_in(text)]


def texts_in(text: str) -> list[str]:
    """A JSON list of identities, of whatever, in a form's hidden field; nothing if it was tampered with."""
    try:
        return [str(named) for named in orjson.loads(text)]
    except (ValueError, TypeError):
        return []


def runs_at(identities: Iterable[RunIdentity]) -> list[Run]:
    """The runs of these identities that there are, in the recycle bin or not, with their roots, newest first."""
    paths: dict[str, list[str]] = {}
    for root, path in identities:
        paths.setdefault(root, []).append(path)
    found: list[Run] = []
    for root, of_root in paths.items():
        for first in range(0, len(of_root), PATHS_A_QUERY):
            some = of_root[first : first + PATHS_A_QUERY]
            found += Run.objects.filter(root__key=root, root__enabled=True, path__in=some).select_related("root")
    return sorted(found, key=lambda run: (-run.created_at, run.run_id, run.path))


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


def find_runs_by_id(run_ids: Iterable[str]) -> dict[str, Run]:
    """The run that each id means, outside the recycle bin, by one query; an id that no run has is left out."""
    runs = Run.objects.filter(run_id__in=set(run_ids), root__enabled=True, deleted_at=None).select_related("root")
    return {run.run_id: run for run in sorted(runs, key=_preference, reverse=True)}


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


#: Runs read by one query of a long list.
ROWS_A_QUERY = 2500


def run_list(
    filters: RunListFilters, *, offset: int = 0, limit: int | None = None, slice_size: int
) -> Iterator[list[dict[str, Any]]]:
    """The runs as API items, newest first, ties by id, in lists of at most ``slice_size``.

    Read by position and not through one open cursor: a client that reads slowly must not hold a transaction, which
    would keep the index's log from being folded back. A run that appears meanwhile is not in the list.
    """
    places = root_places()
    runs = _filtered(filters, places).order_by("-created_at", "run_id", "pk").values_list(*_LIST_COLUMNS)
    position: Q | None = None
    left = limit
    while left is None or left > 0:
        size = ROWS_A_QUERY if left is None else min(left, ROWS_A_QUERY)
        rows = list((runs if position is None else runs.filter(position))[offset : offset + size])
        for first in range(0, len(rows), slice_size):
            yield _list_items(rows[first : first + slice_size], places)
        if len(rows) < size:
            return
        position, offset = _behind(rows[-1]), 0
        left = None if left is None else left - size


def _filtered(filters: RunListFilters, places: Mapping[int, RootPlace]) -> QuerySet[Run]:
    runs = Run.objects.filter(deleted_at=None)
    if filters.project is not None:
        runs = runs.filter(project=filters.project)
    if filters.name is not None:
        runs = runs.filter(name=filters.name)
    if filters.statuses is not None:
        runs = runs.filter(status__in=filters.statuses)
    return in_roots(runs, filters.root, places)


def in_roots(runs: QuerySet[Run], key: str | None, places: Mapping[int, RootPlace]) -> QuerySet[Run]:
    """The runs of one root, or of all enabled ones.

    Excluding the disabled (mostly none) leaves the planner its index by time; asking for the enabled would not.
    """
    left_out = [pk for pk, place in places.items() if not place.enabled or key not in (None, place.key)]
    return runs.exclude(root_id__in=left_out) if left_out else runs


def _behind(row: tuple[Any, ...]) -> Q:
    """What comes after a row of the list."""
    key, run_id, created_at = row[0], row[1], row[4]
    # the first condition follows from the second, but it alone is one range of the index
    return Q(created_at__lte=created_at) & (
        Q(created_at__lt=created_at) | Q(run_id__gt=run_id) | Q(run_id=run_id, pk__gt=key)
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


def _list_items(rows: Iterable[tuple[Any, ...]], places: Mapping[int, RootPlace]) -> list[dict[str, Any]]:
    # unpacked by name: a dictionary built by zip() takes twice as long, and this is most of a long list
    return [
        {
            "id": run_id,
            "run_dir": f"{places[root_id].path}/{path}",
            "created_time": created_at,
            "status": status,
            "pid": pid,
            "best_metric_value": best_value,
            "best_metric_name": best_name,
            "project": project,
            "name": name,
            "artifacts_created_count": created_count,
            "artifacts_used_count": used_count,
            "ended_at": ended_at,
            "tags": orjson.Fragment(tags),
            "root": places[root_id].key,
        }
        for (
            _,
            run_id,
            root_id,
            path,
            created_at,
            ended_at,
            status,
            pid,
            best_value,
            best_name,
            project,
            name,
            created_count,
            used_count,
            tags,
        ) in rows
    ]


class RootPlace(NamedTuple):
    """A storage root's key, its absolute path, and whether its runs are shown."""

    key: str
    path: str
    enabled: bool


def root_places() -> dict[int, RootPlace]:
    """Every storage root by its primary key: they are few, so one look at them is cheaper than a join for each run."""
    rows = StorageRoot.objects.values_list("pk", "key", "path", "enabled")
    return {pk: RootPlace(key, path, enabled) for pk, key, path, enabled in rows}


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
