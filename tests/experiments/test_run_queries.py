"""Lists ask the index the same number of questions however long they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from experiments.models import Run, RunTag, StorageRoot
from experiments.queries.recycle_bin import recycle_bin_items
from experiments.queries.run_search import RunSearch, search_runs
from experiments.queries.runs import RunListFilters, run_list

pytestmark = pytest.mark.django_db(databases=["index"])


def make_runs(count: int, *, root: StorageRoot, deleted_at: float | None = None) -> None:
    for _ in range(count):
        number = Run.objects.count()
        run = Run.objects.create(
            root=root,
            path=f"p/e/runs/{number}",
            run_id=f"run-{number}",
            project="p",
            status=Run.Status.FINISHED,
            created_at=number,
            updated_at=number,
            deleted_at=deleted_at,
            tags='["a", "b"]',
            search_text="p",
        )
        RunTag.objects.bulk_create([RunTag(run=run, tag=tag) for tag in ("a", "b")])


@pytest.fixture
def root() -> StorageRoot:
    return StorageRoot.objects.create(key="local", path="/data/lab")


LISTS: dict[str, Callable[[], object]] = {
    "list": lambda: list(run_list(RunListFilters(), slice_size=10)),
    "filtered list": lambda: list(run_list(RunListFilters(project="p", root="local"), slice_size=10)),
    "search": lambda: search_runs(RunSearch(tags=["a", "b"], per_page=40), now=1e9),
    "text search": lambda: search_runs(RunSearch(text="p", per_page=40), now=1e9),
    "recycle bin": lambda: recycle_bin_items(root=None),
}


@pytest.mark.parametrize("name", LISTS)
def test_two_and_forty_runs_take_the_same_queries(root: StorageRoot, name: str):
    counts = []
    for more in (2, 38):
        make_runs(more, root=root, deleted_at=1.0 if name == "recycle bin" else None)
        with CaptureQueriesContext(connections["index"]) as queries:
            LISTS[name]()
        counts.append(len(queries))

    # a page that is not full needs no count, a full one does
    assert counts[0] <= counts[1] <= counts[0] + 1


def test_runs_of_a_root_that_is_switched_off_are_in_no_list(root: StorageRoot):
    off = StorageRoot.objects.create(key="off", path="/off", enabled=False)
    make_runs(1, root=root)
    make_runs(1, root=off)
    make_runs(1, root=off, deleted_at=1.0)

    assert [item["root"] for part in run_list(RunListFilters(), slice_size=10) for item in part] == ["local"]
    assert [item["root"] for item in search_runs(RunSearch(), now=1e9).items] == ["local"]
    assert recycle_bin_items(root=None) == []


def test_the_questions_a_table_asks_most_are_answered_by_an_index(root: StorageRoot):
    make_runs(3, root=root)
    searches = [
        RunSearch(),
        RunSearch(project="p"),
        RunSearch(name="e"),
        RunSearch(statuses=["finished"]),
        RunSearch(order_by="best_metric_value"),
        RunSearch(project="p", statuses=["finished"], order_by="best_metric_value"),
    ]
    for search in searches:
        with CaptureQueriesContext(connections["index"]) as queries:
            search_runs(search, now=1e9)
        page = next(
            query["sql"] for query in queries if "ORDER BY" in query["sql"] and "experiments_run" in query["sql"]
        )
        plan = plan_of(page)

        assert re.search(r"(INDEX|Index Scan(?: Backward)? using) run_", plan), (search, plan)
        # PostgreSQL's indexes do not end with the primary key, so runs of one time and one name are sorted by it
        assert not re.search(r"USE TEMP B-TREE FOR ORDER BY|(?<!Incremental )Sort  ", plan), (search, plan)


def plan_of(query: str) -> str:
    """How the database would answer, if reading all rows and sorting them was out of the question as with many runs."""
    with connections["index"].cursor() as cursor:
        if cursor.db.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
            return " ".join(str(row[3]) for row in cursor.fetchall())
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {query}")
        return " ".join(row[0] for row in cursor.fetchall())
