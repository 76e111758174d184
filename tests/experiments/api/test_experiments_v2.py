"""V2: one run in detail, series of many runs, deleting many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer, running_server

RUN, PLAIN, BARE = "20250114_153045_d00001", "20250114_153045_d00002", "20250114_153045_d00003"
UNKNOWN = "20250114_153045_ffffff"
SPIKE = 777


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """A run with 1,000 rows, one with three records that share steps, and one that logged nothing."""
    with running_server(tmp_path_factory.mktemp("experiments")) as server:
        records: list[dict[str, Any]] = [
            {"global_step": step, "loss": 100.0 if step == SPIKE else 1 / step, "top1": step / 1000, "stage": "warmup"}
            for step in range(1, 1001)
        ]
        run_dir = write_run(server.storage, f"vision/vit/runs/{RUN}", records=records, environment={"python": "3.12"})
        (run_dir / "media").mkdir()
        (run_dir / "media" / "grid.png").write_bytes(b"x")
        (run_dir / "writer.lock").touch()
        write_run(
            server.storage,
            f"vision/vit/runs/{PLAIN}",
            records=[
                {"global_step": 2, "loss": 3.0},
                {"global_step": 2, "loss": 2.0},
                {"global_step": 5, "loss": math.nan, "odd": 1.0},
            ],
        )
        write_run(server.storage, f"vision/resnet/runs/{BARE}")
        server.scan()
        yield server


def query(api: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = api.post("/api/v2/metrics/query", json=body)
    assert answer.status_code == 200, answer.text
    series: list[dict[str, Any]] = answer.json()["series"]
    return series


def test_details_hold_the_item_of_the_list_and_figures_of_metrics_and_files(api: httpx.Client):
    details = api.get(f"/api/v2/experiments/{RUN}").json()

    (item,) = [run for run in api.get("/api/v2/experiments").json()["experiments"] if run["id"] == RUN]
    assert details == {
        "experiment": item,
        "metrics_summary": {
            "total_data_points": 1000,
            "available_metrics": ["loss", "top1"],
            "step_range": {"min": 1, "max": 1000},
            "non_finite_counts": {},
        },
        "environment_available": True,
        # meta, status, environment, events, the image; the lock is no file of the run
        "file_count": 5,
    }


def test_the_figures_count_merged_rows_as_the_step_table_has_them(api: httpx.Client):
    summary = api.get(f"/api/v2/experiments/{PLAIN}").json()["metrics_summary"]

    rows = api.get(f"/api/runs/{PLAIN}/metrics_step").json()["rows"]
    assert summary["total_data_points"] == len(rows) == 2
    assert summary["step_range"] == {"min": 2, "max": 5}


def test_values_that_are_not_finite_are_null_in_rows_and_counted(api: httpx.Client):
    rows = api.get(f"/api/runs/{PLAIN}/metrics_step").json()["rows"]
    summary = api.get(f"/api/v2/experiments/{PLAIN}").json()["metrics_summary"]

    assert [(row["loss"], row["odd"]) for row in rows] == [(2.0, None), (None, 1.0)]
    assert summary["non_finite_counts"] == {"loss": 1}


def test_a_run_without_metrics_has_no_step_range(api: httpx.Client):
    details = api.get(f"/api/v2/experiments/{BARE}").json()

    assert details["metrics_summary"] == {
        "total_data_points": 0,
        "available_metrics": [],
        "step_range": None,
        "non_finite_counts": {},
    }
    assert details["environment_available"] is False


@pytest.mark.parametrize("run_id", [UNKNOWN, "nope", "%00", "%F0%9F%A6%84", "a b", "x" * 3000])
def test_details_of_an_unknown_id_are_not_found(api: httpx.Client, run_id: str):
    answer = api.get(f"/api/v2/experiments/{run_id}")

    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("not found")


def test_series_of_many_runs_come_in_the_order_asked_for(api: httpx.Client):
    series = query(api, run_ids=[PLAIN, RUN, PLAIN], metric_names=["top1", "loss"])

    order = [(PLAIN, "top1"), (PLAIN, "loss"), (RUN, "top1"), (RUN, "loss")]
    assert [(one["run_id"], one["metric"]) for one in series] == order
    none = {"steps": [], "values": [], "total_points": 0, "non_finite_count": 0}
    assert series[0] == {"run_id": PLAIN, "metric": "top1"} | none
    # points as they were logged: steps may repeat, the value that is not finite is counted and left out
    two = {"steps": [2, 2], "values": [3.0, 2.0], "total_points": 3, "non_finite_count": 1}
    assert series[1] == {"run_id": PLAIN, "metric": "loss"} | two
    assert series[3]["steps"] == list(range(1, 1001))
    rows = api.get(f"/api/runs/{RUN}/metrics_step").json()["rows"]
    assert series[3]["values"] == [row["loss"] for row in rows]


def test_without_names_every_metric_is_given(api: httpx.Client):
    assert [one["metric"] for one in query(api, run_ids=[RUN])] == ["loss", "top1"]
    assert query(api, run_ids=[BARE]) == []


def test_a_reduced_series_keeps_its_ends_and_its_spike(api: httpx.Client):
    (loss,) = query(api, run_ids=[RUN], metric_names=["loss"], downsample=40)

    assert len(loss["steps"]) == len(loss["values"]) <= 40
    assert (loss["steps"][0], loss["steps"][-1], loss["total_points"]) == (1, 1000, 1000)
    assert dict(zip(loss["steps"], loss["values"], strict=True))[SPIKE] == 100.0


def test_a_range_of_steps_is_cut_out_with_both_its_ends(api: httpx.Client):
    (loss,) = query(api, run_ids=[RUN], metric_names=["loss"], step_range="10:12")
    assert loss["steps"] == [10, 11, 12]
    (loss,) = query(api, run_ids=[RUN], metric_names=["loss"], step_range="999:")
    assert loss["steps"] == [999, 1000]
    (loss,) = query(api, run_ids=[RUN], metric_names=["loss"], step_range=f"{-(10**30)}:{10**30}", downsample=None)
    assert loss["total_points"] == 1000


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {"run_ids": []},
        {"run_ids": RUN},
        {"run_ids": [None]},
        {"run_ids": [[RUN]]},
        {"run_ids": ["\0"]},
        {"run_ids": [RUN] * 201},
        {"run_ids": [RUN], "downsample": 1},
        {"run_ids": [RUN], "downsample": 10**30},
        {"run_ids": [RUN], "downsample": "many"},
        {"run_ids": [RUN], "step_range": "5"},
        {"run_ids": [RUN], "step_range": [1, 2]},
        {"run_ids": [RUN], "metric_names": "loss"},
        {"run_ids": [RUN], "metric_names": [{}]},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_query_that_makes_no_sense_is_refused_with_one_sentence(api: httpx.Client, body: Any):
    answer = api.post("/api/v2/metrics/query", json=body)

    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json()["detail"], str)


def test_a_query_for_an_unknown_run_is_not_found(api: httpx.Client):
    answer = api.post("/api/v2/metrics/query", json={"run_ids": [RUN, UNKNOWN]})

    assert (answer.status_code, answer.json()["detail"]) == (404, f"Experiment {UNKNOWN} not found")


def test_a_deep_body_is_refused(api: httpx.Client):
    for body in (b"[" * 50_000, b'{"run_ids":' * 5000):
        answer = api.post("/api/v2/metrics/query", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


def test_deleting_many_puts_them_into_the_recycle_bin_and_counts_the_rest_as_failed(
    server: ViewerServer, api: httpx.Client
):
    ids = ["20250114_153045_d00010", "20250114_153045_d00011"]
    for run_id in ids:
        write_run(server.storage, f"vision/gone/runs/{run_id}")
    server.scan()

    answer = api.post("/api/v2/experiments/batch-delete", json={"exp_ids": [*ids, UNKNOWN, "no id at all"]}).json()

    results = {ids[0]: True, ids[1]: True, UNKNOWN: False, "no id at all": False}
    fields = {"deleted": 2, "failed": 2, "deleted_count": 2, "results": results}
    assert answer == {"ok": True, "message": "Soft deleted 2 of 4 runs", **fields, "data": fields}
    reasons = {run["id"]: run["delete_reason"] for run in api.get("/api/recycle-bin").json()["deleted_runs"]}
    assert reasons == dict.fromkeys(ids, "user_batch_delete")
    assert api.get("/api/runs?name=gone").json() == []
    assert api.get(f"/api/v2/experiments/{ids[0]}").status_code == 404

    api.post("/api/recycle-bin/restore", json={"run_ids": ids})
    assert api.get("/api/v2/experiments?name=gone").json()["total"] == 2


def test_a_reason_is_written_down(server: ViewerServer, api: httpx.Client):
    run_id = "20250114_153045_d00020"
    write_run(server.storage, f"vision/reason/runs/{run_id}", meta={"created_at": CREATED_AT})
    server.scan()

    api.post("/api/v2/experiments/batch-delete", json={"exp_ids": [run_id], "reason": "too old"})

    (run,) = [run for run in api.get("/api/recycle-bin").json()["deleted_runs"] if run["id"] == run_id]
    assert run["delete_reason"] == "too old"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "exp_ids is required"),
        ([], "exp_ids is required"),
        ({"exp_ids": []}, "exp_ids is required"),
        ({"exp_ids": {RUN: True}}, "exp_ids is required"),
        ({"exp_ids": [RUN, 1]}, "exp_ids is required"),
        ({"exp_ids": [RUN] * 1001}, "Cannot delete more than 1000 experiments at once"),
        ({"exp_ids": [RUN], "reason": 5}, "reason must be a string"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_batch_that_makes_no_sense_deletes_nothing(api: httpx.Client, body: Any, detail: str):
    answer = api.post("/api/v2/experiments/batch-delete", json=body)

    assert (answer.status_code, answer.json()["detail"]) == (400, detail)
    assert api.get(f"/api/v2/experiments/{RUN}").status_code == 200
