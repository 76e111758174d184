"""How versions did: training-metrics, performance-history, evaluate and evaluations."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.artifacts.stored import log_version, new_run_id
from tests.run_directories import write_run
from tests.server import ViewerServer

#: When a run began, and what it came to.
STARTED_AT = 1_736_868_645.0


def _made(server: ViewerServer, name: str, summary: dict[str, Any] | None, **status: Any) -> str:
    """The next version of an artifact, made by a run with that summary; without one no run is there."""
    run_id = new_run_id()
    if summary is not None:
        states = {"status": "finished", "started_at": STARTED_AT, "ended_at": STARTED_AT + 86.5, **status}
        write_run(server.storage, f"vision/vit/runs/{run_id}", summary=summary, status=states)
    log_version(server.storage, {"w": run_id.encode()}, name=name, run_id=run_id)
    server.scan()
    return run_id


def test_the_run_that_made_a_version_is_told_with_its_summary(server: ViewerServer, api: httpx.Client):
    first = _made(server, "traced", {"top1": 0.81, "note": "good"})
    second = _made(server, "traced", {"top1": 0.9})

    newest = api.get("/api/artifacts/traced/training-metrics").json()
    older = api.get("/api/artifacts/traced/training-metrics?version=1").json()

    assert newest["run_id"] == second
    assert older == {
        "run_id": first,
        "run_name": "vit",
        "project": "vision",
        "metrics": {"top1": 0.81, "note": "good"},
        "created_at": STARTED_AT,
        "duration_seconds": 86.5,
        "status": "finished",
    }


def test_the_newest_version_is_one_that_is_not_deleted(server: ViewerServer, api: httpx.Client):
    first, second = _made(server, "kept", {"top1": 1}), _made(server, "kept", {"top1": 2})

    api.delete("/api/artifacts/kept/v2")
    assert api.get("/api/artifacts/kept/training-metrics").json()["run_id"] == first
    api.delete("/api/artifacts/kept/v1")
    assert api.get("/api/artifacts/kept/training-metrics").json()["run_id"] == second


def test_a_run_that_nobody_knows_is_null(server: ViewerServer, api: httpx.Client):
    _made(server, "foundling", None)

    assert api.get("/api/artifacts/foundling/training-metrics").json() is None
    assert api.get("/api/artifacts/foundling/performance-history").json() == []
    assert api.get("/api/artifacts/foundling/training-metrics?version=2").status_code == 404


def test_the_history_ascends_and_has_the_numbers_of_the_summaries(server: ViewerServer, api: httpx.Client):
    runs = [
        _made(server, "history", {"top1": 0.7, "loss": 2, "note": "x", "ok": True}),
        _made(server, "history", None),
        _made(server, "history", {"loss": 1.5}, status="failed"),
    ]

    history = api.get("/api/artifacts/history/performance-history").json()
    of_one = api.get("/api/artifacts/history/performance-history?metric_name=top1").json()

    first, last = (
        {"version": 1, "created_at": STARTED_AT, "run_id": runs[0], "status": "finished"},
        {"version": 3, "created_at": STARTED_AT, "run_id": runs[2], "status": "failed"},
    )
    assert history == [{**first, "metrics": {"top1": 0.7, "loss": 2}}, {**last, "metrics": {"loss": 1.5}}]
    assert of_one == [{**first, "metrics": {"top1": 0.7}}, {**last, "metrics": {}}]


def test_an_evaluation_is_a_file_and_is_listed(server: ViewerServer, api: httpx.Client):
    _made(server, "judged", {})
    _made(server, "judged", {})
    body = {
        "metrics": {"top1": 0.8},
        "status": "passed",
        "test_dataset": "holdout-b",
        "model_name": "ignored",
        "model_version": 9,
        "evaluation_date": 1,
    }

    answer = api.post("/api/artifacts/judged/v1/evaluate", json=body).json()
    api.post("/api/artifacts/judged/v2/evaluate", json={"metrics": {"top1": 0.9}, "status": "failed"})

    assert answer["message"] == "Evaluation recorded successfully"
    assert answer["eval_id"].startswith("judged_v1_")
    document = json.loads((server.storage / "evaluations" / f"{answer['eval_id']}.json").read_bytes())
    newest, oldest = api.get("/api/artifacts/judged/evaluations").json()
    assert (newest["model_version"], newest["status"]) == (2, "failed")
    assert oldest == {
        "id": answer["eval_id"],
        "model_name": "judged",
        "model_version": 1,
        "evaluation_date": document["evaluation_date"],
        "evaluator_run_id": None,
        "metrics": {"top1": 0.8},
        "test_dataset": "holdout-b",
        "status": "passed",
        "notes": None,
    }
    assert api.get("/api/artifacts/judged/evaluations?version=1").json() == [oldest]
    assert api.get("/api/artifacts/judge/evaluations").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": {"top1": 1}},
        {"metrics": {"top1": 1}, "status": "great"},
        {"metrics": {"top1": "high"}, "status": "passed"},
        {"metrics": {str(number): 1 for number in range(1001)}, "status": "passed"},
        {"metrics": [1], "status": "passed"},
    ],
)
def test_an_evaluation_that_says_too_little_or_too_much_is_refused(server: ViewerServer, api: httpx.Client, wrong):
    log_version(server.storage, {"w": b"1"}, name="strict")
    server.scan()

    assert api.post("/api/artifacts/strict/v1/evaluate", json=wrong).status_code == 400
    assert api.get("/api/artifacts/strict/evaluations").json() == []


def test_records_that_others_wrote_break_nothing(server: ViewerServer, api: httpx.Client):
    log_version(server.storage, {"w": b"1"}, name="messy")
    server.scan()
    folder = server.storage / "evaluations"
    folder.mkdir(exist_ok=True)
    odd = {"model_name": "messy", "model_version": 1, "evaluation_date": 5, "metrics": 7, "status": ["x"], "notes": 3}
    (folder / "messy_v1_5.json").write_text(json.dumps(odd), encoding="utf-8")
    (folder / "messy_v1_6.json").write_text("{", encoding="utf-8")

    (item,) = api.get("/api/artifacts/messy/evaluations").json()

    assert (item["metrics"], item["status"], item["notes"]) == ({}, None, None)
