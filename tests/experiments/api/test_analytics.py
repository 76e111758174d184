"""V2: figures over many runs, computed from real files through the index."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from experiments.queries import analytics
from experiments.queries.index_figures import IndexFigures, index_figures
from tests.factories import make_root, make_run
from tests.run_directories import write_run
from tests.server import ViewerServer, running_server

DAY_S = 86400.0
NOW = time.time()
#: Two of these have a mean beyond float64.
HUGE = [{"global_step": 1, "huge": 1.7e308}]


def write(server: ViewerServer, number: int, status: str, *, experiment: str = "vision/vit", **more: Any) -> str:
    """A run of an hour that began ``days`` ago."""
    run_id = f"20250114_153045_a0000{number}"
    began = NOW - more.pop("days", 1) * DAY_S
    ended = {} if status == "running" else {"ended_at": began + 3600}
    write_run(
        server.storage,
        f"{experiment}/runs/{run_id}",
        meta={"created_at": began},
        status={"status": status, "started_at": began, **ended},
        **more,
    )
    return run_id


@pytest.fixture(scope="module")
def ids(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ViewerServer, list[str]]]:
    best = {"best_metric_name": "top1", "best_metric_mode": "max"}
    with running_server(tmp_path_factory.mktemp("analytics")) as server:
        made = [
            write(server, 0, "finished", days=3, summary={**best, "best_metric_value": 0.5}, records=HUGE),
            write(server, 1, "finished", days=2, summary={**best, "best_metric_value": 0.7}, records=HUGE),
            write(server, 2, "failed", days=1, records=[{"global_step": 1, "top1": 0.9, "loss": math.nan}]),
            write(server, 3, "interrupted", experiment="audio/ctc", days=200, records=[{"global_step": 1, "top1": 0}]),
            write(server, 4, "finished", experiment="audio/ctc"),
        ]
        server.scan()
        httpx.post(f"{server.url}/api/runs/soft-delete", json={"run_ids": [made[4]]}).raise_for_status()
        yield server, made


@pytest.fixture
def server(ids: tuple[ViewerServer, list[str]]) -> ViewerServer:
    return ids[0]


def get(api: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_summary_counts_runs_by_status_and_project(api: httpx.Client):
    summary = get(api, "/api/v2/analytics/summary")

    newest = max(run["updated_at"] for run in api.get("/api/v2/experiments").json()["experiments"])
    assert abs(summary.pop("generated_at") - time.time()) < 60
    assert summary.pop("avg_duration_seconds") == pytest.approx(3600)
    assert summary == {
        "total_experiments": 5,
        "active_experiments": 4,
        "deleted_experiments": 1,
        "by_status": {"failed": 1, "finished": 2, "interrupted": 1},
        "by_project": {"audio": 1, "vision": 3},
        "success_rate": 0.5,
        "last_activity": newest,
    }


def test_the_overview_has_the_same_counts_and_the_size_of_the_index(server: ViewerServer, api: httpx.Client):
    answer = get(api, "/api/v2/analytics/overview")

    overview, statistics = answer["overview"], answer["storage_info"]["statistics"]
    assert (overview["total_experiments"], overview["active_experiments"]) == (5, 4)
    assert (overview["running_experiments"], overview["success_rate"]) == (0, 0.5)
    assert overview["avg_experiment_duration"] == pytest.approx(3600)
    assert statistics["deleted_experiments"] == 1
    assert statistics["total_metrics_points"] == 5  # also the one that is not finite
    assert statistics["storage_size_bytes"] > 50_000
    assert overview["storage_size_mb"] == statistics["db_size_mb"] > 0
    assert 0 <= statistics["db_fragmentation_pct"] <= 100


def test_query_times_and_cache_hits_are_measured(api: httpx.Client):
    run_id = "20250114_153045_a00002"
    for _ in range(3):
        api.get(f"/api/v2/experiments/{run_id}/metrics/fast")

    performance = get(api, "/api/v2/analytics/overview")["storage_info"]["performance"]

    assert performance["avg_query_time_ms"] > 0
    assert 0 < performance["cache_hit_rate"] < 1
    health = api.get("/api/health").json()["cache"]
    assert performance["cache_hit_rate"] == pytest.approx(health["hits"] / (health["hits"] + health["misses"]))


def test_projects_are_compared_over_the_last_days(api: httpx.Client):
    answer = get(api, "/api/v2/analytics/projects")

    assert answer["analysis_period_days"] == 30
    (vision,) = answer["projects"]
    assert vision.pop("last_activity") > 0
    assert vision.pop("avg_best_metric") == pytest.approx(0.6)
    assert vision.pop("success_rate") == pytest.approx(2 / 3)
    assert vision == {"project": "vision", "total": 3, "finished": 2, "failed": 1, "running": 0}
    assert [project["project"] for project in get(api, "/api/v2/analytics/projects", days=365)["projects"]] == [
        "audio",
        "vision",
    ]


def test_a_trend_holds_best_values_and_else_last_ones_from_the_oldest_on(
    api: httpx.Client, ids: tuple[ViewerServer, list[str]]
):
    answer = get(api, "/api/v2/analytics/performance-trends", metric_name="top1", project="vision")

    assert [(point["id"], point["value"]) for point in answer["trend_data"]] == [
        (ids[1][0], 0.5),
        (ids[1][1], 0.7),
        (ids[1][2], 0.9),
    ]
    statistics = answer["statistics"]
    assert statistics["mean_value"] == pytest.approx(0.7)
    assert statistics["std_dev"] == pytest.approx(math.sqrt(0.08 / 3))
    assert (statistics["total_experiments"], statistics["min_value"], statistics["max_value"]) == (3, 0.5, 0.9)
    assert (answer["metric_name"], answer["project"], answer["analysis_period_days"]) == ("top1", "vision", 30)
    assert (
        get(api, "/api/v2/analytics/performance-trends", metric_name="top1", days=365)["statistics"][
            "total_experiments"
        ]
        == 4
    )


def test_a_trend_without_values_has_no_statistics(api: httpx.Client):
    answer = get(api, "/api/v2/analytics/performance-trends", metric_name="loss")

    assert answer["trend_data"] == []
    assert answer["statistics"] == {
        "total_experiments": 0,
        "mean_value": None,
        "std_dev": None,
        "min_value": None,
        "max_value": None,
    }


def test_figures_beyond_a_float_are_null(api: httpx.Client):
    statistics = get(api, "/api/v2/analytics/performance-trends", metric_name="huge")["statistics"]

    assert (statistics["mean_value"], statistics["max_value"]) == (None, 1.7e308)


def test_a_small_index_is_healthy(api: httpx.Client):
    answer = get(api, "/api/v2/analytics/health")

    slow = answer["performance"]["test_query_time_ms"] > analytics.SLOW_QUERY_MS
    assert answer["health_score"] == (80.0 if slow else 100.0)
    assert (answer["health_status"], len(answer["issues"])) == (("good", 1) if slow else ("excellent", 0))
    assert answer["storage"]["total_experiments"] == 5
    assert answer["storage"]["db_size_mb"] > 0


@pytest.mark.parametrize(
    "address",
    [
        "projects?days=0",
        "projects?days=x",
        "projects?days=999999999999999999999",
        "performance-trends",
        "performance-trends?metric_name=%00",
        "performance-trends?metric_name=a&days=-1",
    ],
)
def test_parameters_that_make_no_sense_are_refused(api: httpx.Client, address: str):
    answer = api.get(f"/api/v2/analytics/{address}")

    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("path", ["summary", "overview", "projects", "performance-trends?metric_name=a"])
def test_a_root_may_be_named_and_an_unknown_one_is_not_found(api: httpx.Client, path: str):
    joint = "&" if "?" in path else "?"

    assert api.get(f"/api/v2/analytics/{path}{joint}root=local").status_code == 200
    assert api.get(f"/api/v2/analytics/{path}{joint}root=nope").status_code == 404


@pytest.mark.django_db(databases=["index"])
def test_a_large_index_costs_points(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(analytics, "index_figures", lambda: IndexFigures(1001 * 2**20, 0.0))
    monkeypatch.setattr(analytics, "SLOW_QUERY_MS", 1e9)

    found = analytics.health(at=NOW)

    assert (found["health_score"], found["health_status"]) == (90.0, "good")
    assert "1001 MB" in found["issues"][0]


@pytest.mark.django_db(databases=["index"])
def test_a_slow_query_costs_points(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(analytics, "SLOW_QUERY_MS", -1.0)

    assert (analytics.health(at=NOW)["health_score"], analytics.health(at=NOW)["health_status"]) == (80.0, "good")


@pytest.mark.django_db(databases=["index"])
def test_the_figures_of_the_index_come_from_the_database(django_assert_num_queries):
    make_run(make_root())

    figures = index_figures()

    assert figures.size_bytes > 10_000
    assert 0 <= figures.fragmentation_pct <= 100
