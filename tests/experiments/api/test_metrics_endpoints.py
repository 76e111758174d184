"""The metric tables over HTTP; how tables are made is tested in tests/experiments/metrics."""

from __future__ import annotations

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer

RUN = "20250114_153045_ae1001"
LONG = "20250114_153045_ae1002"
EMPTY = "20250114_153045_ae1003"


@pytest.fixture(scope="module", autouse=True)
def _runs(server: ViewerServer) -> None:
    records = [
        {"global_step": 1, "loss": 2.0, "stage": "warmup"},
        {"global_step": 2, "loss": "NaN", "epoch": 1},
        {"global_step": 2, "acc": 0.5},
    ]
    write_run(server.storage, f"metrics/vit/runs/{RUN}", records=records)
    long = ({"global_step": step, "loss": 1 / step, "acc": step / 5000} for step in range(1, 5001))
    write_run(server.storage, f"metrics/vit/runs/{LONG}", records=long)
    write_run(server.storage, f"metrics/vit/runs/{EMPTY}")
    server.scan()


def test_the_step_table_has_one_row_a_step_and_null_where_nothing_was_logged(api: httpx.Client):
    table = api.get(f"/api/runs/{RUN}/metrics_step").json()

    assert table == {
        "columns": ["global_step", "acc", "epoch", "loss", "stage", "time"],
        "rows": [
            {"global_step": 1, "acc": None, "epoch": None, "loss": 2.0, "stage": "warmup", "time": CREATED_AT},
            {"global_step": 2, "acc": 0.5, "epoch": 1, "loss": None, "stage": None, "time": CREATED_AT + 2},
        ],
    }


def test_the_time_table_has_one_row_a_record_and_seconds_since_the_first(api: httpx.Client):
    table = api.get(f"/api/runs/{RUN}/metrics").json()

    assert table["columns"][:2] == ["time", "global_step"]
    assert [(row["time"], row["global_step"]) for row in table["rows"]] == [(0.0, 1), (1.0, 2), (2.0, 2)]


@pytest.mark.parametrize("table", ["metrics_step", "metrics"])
def test_a_long_table_is_complete_and_downsampling_says_so(api: httpx.Client, table: str):
    full = api.get(f"/api/runs/{LONG}/{table}").json()
    reduced = api.get(f"/api/runs/{LONG}/{table}?downsample=100").json()

    assert [row["global_step"] for row in full["rows"]] == list(range(1, 5001))
    assert full.keys() == {"columns", "rows"}
    assert (reduced["total_rows"], reduced["sampled"]) == (5000, True)
    assert len(reduced["rows"]) <= 100
    assert (reduced["rows"][0], reduced["rows"][-1]) == (full["rows"][0], full["rows"][-1])


def test_fast_rows_equal_those_of_the_step_table(api: httpx.Client):
    full = api.get(f"/api/runs/{LONG}/metrics_step").json()["rows"]

    fast = api.get(
        f"/api/v2/experiments/{LONG}/metrics/fast",
        params={"metric_names": "loss, none", "step_range": "10:4000", "downsample": "50"},
    ).json()

    by_step = {row["global_step"]: row for row in full}
    assert fast["columns"] == ["global_step", "loss", "none"]
    assert all(row["loss"] == by_step[row["global_step"]]["loss"] and row["none"] is None for row in fast["rows"])
    assert (fast["rows"][0]["global_step"], fast["rows"][-1]["global_step"]) == (10, 4000)
    assert (fast["total_points"], fast["total_rows"]) == (len(fast["rows"]), 3991)
    assert fast["applied_filters"] == {
        "metrics": ["loss", "none"],
        "step_range": [10, 4000],
        "downsampled": True,
        "extremes_complete": True,
    }
    assert isinstance(fast["query_time_ms"], float)


def test_fast_without_parameters_gives_everything(api: httpx.Client):
    fast = api.get(f"/api/v2/experiments/{RUN}/metrics/fast").json()

    assert fast["rows"] == api.get(f"/api/runs/{RUN}/metrics_step").json()["rows"]
    assert fast["applied_filters"] == {"metrics": None, "step_range": None, "downsampled": False}


def test_a_run_without_records_gives_empty_tables(api: httpx.Client):
    for address in (f"/api/runs/{EMPTY}/metrics_step", f"/api/runs/{EMPTY}/metrics"):
        assert api.get(address).json() == {"columns": [], "rows": []}


@pytest.mark.parametrize("query", ["downsample=1", "downsample=50001", "downsample=x", "downsample=-5"])
def test_a_bad_downsample_is_a_400(api: httpx.Client, query: str):
    for address in (
        f"/api/runs/{RUN}/metrics_step",
        f"/api/runs/{RUN}/metrics",
        f"/api/v2/experiments/{RUN}/metrics/fast",
    ):
        answer = api.get(f"{address}?{query}")

        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("downsample: ")


@pytest.mark.parametrize("step_range", ["5", "a:b", "1:2:3", "1.5:2"])
def test_a_bad_step_range_is_a_400_in_the_words_of_the_reference(api: httpx.Client, step_range: str):
    answer = api.get(f"/api/v2/experiments/{RUN}/metrics/fast", params={"step_range": step_range})

    assert answer.status_code == 400
    assert answer.json()["detail"] == "Invalid step_range format, use 'min:max'"


def test_either_side_of_a_step_range_may_be_open(api: httpx.Client):
    def steps(step_range: str) -> list[int]:
        answer = api.get(f"/api/v2/experiments/{LONG}/metrics/fast", params={"step_range": step_range})
        return [row["global_step"] for row in answer.json()["rows"]]

    assert steps(":3") == [1, 2, 3]
    assert steps("4999:") == [4999, 5000]
    assert len(steps(":")) == 5000
    assert steps("99999999999999999999999:") == []


def test_an_unknown_run_is_a_404(api: httpx.Client):
    assert api.get("/api/runs/nope/metrics_step").json()["detail"] == "Run not found"
    assert api.get("/api/runs/nope/metrics").status_code == 404
    assert api.get("/api/v2/experiments/nope/metrics/fast").json()["detail"] == "Experiment nope not found"
