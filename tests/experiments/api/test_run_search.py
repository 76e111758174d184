"""GET /api/v2/experiments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_json, write_run
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Asks a server with five runs: a, b, c in vision, d in audio, e deleted."""
    with running_server(tmp_path_factory.mktemp("search")) as server, httpx.Client(base_url=server.url) as client:
        _write_runs(server)

        def ask(**params: object) -> Any:
            answer = client.get("/api/v2/experiments", params={name: str(value) for name, value in params.items()})
            assert answer.status_code == 200, answer.text
            return answer.json()

        ask.client = client
        yield ask


def _write_runs(server: ViewerServer) -> None:
    def write(
        letter: str, place: str, order: int, best: float | None, state: str, tags: list[str], **other: Any
    ) -> None:
        summary = {} if best is None else {"best_metric_value": best, "best_metric_name": "top1"}
        write_run(
            server.storage,
            f"{place}/runs/20250101_000000_{letter * 6}",
            meta={"created_at": CREATED_AT + order, "tags": tags},
            status={"status": state, "started_at": CREATED_AT + order, **other},
            summary=summary,
        )

    def describe(letter: str, description: str) -> None:
        (run_dir,) = server.storage.glob(f"*/*/runs/*_{letter * 6}")
        write_json(run_dir / "curation.json", {"description": description})

    write("a", "vision/vit", 0, 0.9, "finished", ["baseline", "paper"], ended_at=CREATED_AT + 100)
    write("b", "vision/vit", 1, 0.7, "failed", ["paper"], ended_at=CREATED_AT + 11)
    write("c", "vision/ResNet", 2, None, "finished", [])
    describe("c", "Trained on 100 percent of it, 学习")
    write("d", "audio/wav", 3, 0.8, "finished", ["baseline"], ended_at=CREATED_AT + 4)
    write("e", "audio/wav", 4, 0.1, "finished", [])
    (server.storage / "audio/wav/runs/20250101_000000_eeeeee/.deleted").write_text("{}")
    server.scan()


def letters(page: Any) -> str:
    return "".join(item["id"][-1] for item in page["experiments"])


def test_an_item_has_the_documented_fields(search: Any):
    (item,) = search(name="wav")["experiments"]

    assert item["run_dir"].endswith("/audio/wav/runs/20250101_000000_dddddd")
    assert item["logs"] == f"{item['run_dir']}/logs.txt"
    assert item["metrics"] == item["metrics_step"] == f"{item['run_dir']}/events.jsonl"
    assert item["created_at"] == item["created_time"] == CREATED_AT + 3
    assert item["duration_seconds"] == 1.0
    assert (item["best_metric_name"], item["best_metric_value"]) == ("top1", 0.8)
    assert {"updated_at", "started_at", "ended_at", "deleted_at", "hostname", "pid"} <= item.keys()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "dcba"),
        ({"project": "vision"}, "cba"),
        ({"project": "vision", "name": "vit"}, "ba"),
        ({"status": "failed,running"}, "b"),
        ({"tags": "baseline"}, "da"),
        ({"tags": "baseline, paper"}, "a"),
        ({"tags": "unheard"}, ""),
        ({"search": "RESNET"}, "c"),
        ({"search": "dddd"}, "d"),
        ({"search": "AUDIO"}, "d"),
        ({"search": "percent OF"}, "c"),
        ({"search": "学"}, "c"),
        ({"search": "100%"}, ""),
        ({"search": "00_dddd"}, "d"),
        ({"search": "00_000_"}, ""),
        ({"created_after": CREATED_AT + 1, "created_before": CREATED_AT + 2}, "cb"),
        ({"best_metric_min": 0.8}, "da"),
        ({"best_metric_min": 0.7, "best_metric_max": 0.8}, "db"),
        ({"include_deleted": "YES"}, "edcba"),
        ({"include_deleted": "false"}, "dcba"),
        ({"order_desc": "no"}, "abcd"),
        ({"order_by": "best_metric_value"}, "adbc"),
        ({"order_by": "best_metric_value", "order_desc": "0"}, "bdac"),
        ({"order_by": "id", "order_desc": "false"}, "abcd"),
        ({"order_by": "project", "order_desc": "false"}, "dabc"),
        ({"order_by": "status", "order_desc": "false"}, "bacd"),
        ({"order_by": "duration_seconds"}, "abdc"),
        ({"order_by": "ended_at"}, "abdc"),
        ({"order_by": "name", "order_desc": "false"}, "cabd"),
        ({"root": "local", "name": "vit"}, "ba"),
    ],
)
def test_filters_and_orders(search: Any, params: dict[str, object], expected: str):
    page = search(**params)

    assert letters(page) == expected
    assert page["total"] == len(expected), "the total counts the same filters"


def test_pages_say_where_they_are(search: Any):
    first, second, beyond = (search(per_page=3, page=page) for page in (1, 2, 3))

    assert [letters(page) for page in (first, second, beyond)] == ["dcb", "a", ""]
    assert [page["total"] for page in (first, second, beyond)] == [4, 4, 4]
    assert [(page["has_prev"], page["has_next"]) for page in (first, second, beyond)] == [
        (False, True),
        (True, False),
        (True, False),
    ]
    assert (first["page"], first["per_page"]) == (1, 3)


BAD_QUERIES = """
page=0 page=x page=99999999999 per_page=0 per_page=1001 order_by=created_at;drop order_by=pid order_desc=perhaps
created_after=nan best_metric_max=inf status=dead include_deleted=2
"""


@pytest.mark.parametrize("query", BAD_QUERIES.split())
def test_a_bad_value_is_a_400_that_names_the_parameter(search: Any, query: str):
    answer = search.client.get(f"/api/v2/experiments?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


def test_v1_and_v2_say_the_same_of_a_run(search: Any):
    v1 = {run["id"]: run for run in search.client.get("/api/runs").json()}

    for item in search()["experiments"]:
        run = v1[item["id"]]
        assert {key: item[key] for key in run.keys() & item.keys()} == {
            key: run[key] for key in run.keys() & item.keys()
        }
