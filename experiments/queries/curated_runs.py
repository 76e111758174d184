"""``GET /api/experiments/search``: runs by what people recorded about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from experiments.models import Run, RunTag
from experiments.queries.runs import in_roots, root_places

#: Runs read by one query; SQLite of old builds takes 999 parameters.
RUNS_A_QUERY = 600


@dataclass(frozen=True)
class CuratedRunSearch:
    """tags: all of them. text: a case-insensitive substring of project, experiment, name, id, description or tags."""

    project: str | None = None
    tags: Sequence[str] = ()
    text: str | None = None
    archived: bool = False
    root: str | None = None
    offset: int = 0
    limit: int | None = None


def curated_runs(search: CuratedRunSearch) -> Iterator[list[dict[str, Any]]]:
    """The matching runs outside the recycle bin as API items, newest change first, some hundred at a time.

    The order is found once, then rows are read by key: a client that reads slowly holds no transaction.
    """
    places = root_places()
    # most runs are looked at; the negated condition keeps SQLite from walking an index for that (see run_search)
    runs = in_roots(Run.objects.exclude(deleted_at__isnull=False).filter(archived=search.archived), search.root, places)
    if search.project is not None:
        runs = runs.filter(project=search.project)
    for tag in search.tags:
        runs = runs.filter(pk__in=RunTag.objects.filter(tag=tag).values("run_id"))
    if search.text:
        runs = runs.filter(search_text__contains=search.text.casefold())
    keys = list(runs.order_by("-updated_at", "run_id", "pk").values_list("pk", flat=True))
    end = None if search.limit is None else search.offset + search.limit
    wanted = keys[search.offset : end]
    for first in range(0, len(wanted), RUNS_A_QUERY):
        some = wanted[first : first + RUNS_A_QUERY]
        rows = {row[0]: row for row in Run.objects.filter(pk__in=some).values_list(*_COLUMNS)}
        yield [_item(rows[key], places[rows[key][-1]].key) for key in some if key in rows]


_COLUMNS = (
    "pk",
    "run_id",
    "project",
    "name",
    "tags",
    "description",
    "created_at",
    "updated_at",
    "archived",
    "pinned",
    "root_id",
)


def _item(row: tuple[Any, ...], root: str) -> dict[str, Any]:
    item = dict(zip(_COLUMNS[2:-1], row[2:-1], strict=True))
    return {"id": row[1], **item, "tags": orjson.Fragment(item["tags"]), "root": root}
