"""`runicorn demo`: real training under a viewer, and a clean stop."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.command_line import RunningCommand, running, still_running, wait_until
from tests.server import write_limits

#: The short jobs take about 25 s on two idle cores; a loaded machine is slower.
TIMEOUT_S = 120.0


def statuses(demo: RunningCommand) -> list[str]:
    return [run["status"] for run in demo.get("/api/runs")]


def test_the_demo_shows_models_that_train_diverge_and_fail_and_stops_cleanly(tmp_path):
    write_limits(tmp_path / "config")
    with running("demo", "--port", "0", "--storage", "demo", folder=tmp_path) as demo:
        demo.wait_for(f"Storage root: {tmp_path / 'demo'}")
        wait_until(
            lambda: statuses(demo).count("finished") > 5 and "failed" in statuses(demo),
            demo.describe,
            timeout_s=TIMEOUT_S,
        )
        runs = demo.get("/api/runs")
        assert {"digits", "spirals"} <= {run["project"] for run in runs}
        assert any((run["best_metric_value"] or 0) > 0.8 for run in runs)
        assert any("NaN" in events for events in texts(tmp_path / "demo", "events.jsonl"))
        assert list((tmp_path / "demo").glob("digits/*/runs/*/media/*.png"))
        latest = {artifact["name"]: artifact["type"] for artifact in demo.get("/api/artifacts")}
        assert latest.items() >= {"digits": "dataset", "spirals": "dataset", "digits-softmax": "model"}.items()
        graph = demo.get("/api/artifacts/digits-softmax/v1/lineage")
        assert [node["node_id"] for node in graph["nodes"][:2]] == ["digits-softmax:v1", "digits:v1"]
        processes = demo.descendants()
        assert len(processes) > 3

        code, seconds = demo.stop(signal.SIGINT)

        assert code == 130
        assert seconds < 6.0  # the supervisor's limit and some more
        assert still_running(processes) == []
        (live,) = texts(tmp_path / "demo", "live/runs/*/status.json")
        assert json.loads(live)["status"] == "interrupted"


def texts(root: Path, pattern: str) -> list[str]:
    return [path.read_text() for path in root.rglob(pattern)]
