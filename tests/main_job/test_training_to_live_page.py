"""The main job, whole: a script trains and logs, and the viewer shows it meanwhile."""

from __future__ import annotations

import json
import tarfile
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.components import fixtures
from tests.main_job.conftest import Viewer
from tests.training_scripts import run_script, start_script, wait_for_line, wait_until

TRAINING = """
run = rn.init(project="digits", name="mlp", config={"lr": 0.1}, tags=["baseline"])
rn.set_primary_metric("acc", mode="max")
for step in range(1, 4):
    rn.log(loss=1 / step, acc=1 - 1 / step)
    print(f"epoch {step} 完成")
print(run.id, flush=True)
input()
rn.log(loss=0.01, acc=0.99, step=100)
rn.log_text("last words")
input()
rn.finish()
"""


def get(viewer: Viewer, path: str) -> Any:
    response = httpx.get(viewer.url + path, timeout=10)
    assert response.status_code == 200, response.text
    return response.json()


def messages(socket: Any, *, until: str) -> list[dict[str, Any]]:
    """Changes from the live socket up to the first of kind ``until``."""
    changes: list[dict[str, Any]] = []
    while not any(change["kind"] == until for change in changes):
        changes += json.loads(socket.recv(timeout=10)).get("changes", [])
    return changes


def test_a_script_is_seen_training_in_rest_sockets_and_pages_until_it_ends(viewer: Viewer):
    script = start_script(TRAINING, root=viewer.root)
    assert script.stdin is not None
    try:
        wait_for_line(script, "epoch 3 完成")
        wait_until(lambda: get(viewer, "/api/runs"))
        run = get(viewer, "/api/runs")[0]
        wait_until(lambda: len(get(viewer, f"/api/runs/{run['id']}/metrics_step")["rows"]) == 3)
        assert (run["project"], run["name"], run["status"]) == ("digits", "mlp", "running")

        with (
            connect(f"{viewer.ws_url}/live/ws") as live,
            connect(f"{viewer.ws_url}/api/runs/{run['id']}/logs/ws") as log,
        ):
            live.send(json.dumps({"subscribe": [run["id"]]}))
            assert [log.recv(timeout=5).partition(" | ")[2] for _ in range(3)] == [f"epoch {n} 完成" for n in (1, 2, 3)]

            script.stdin.write("\n")
            script.stdin.flush()

            points = messages(live, until="points")[-1]
            assert (points["run"], points["records"]) == (run["id"], 4)
            assert get(viewer, f"/api/runs/{run['id']}/metrics_step")["rows"][-1]["global_step"] == 100
            while "last words" not in log.recv(timeout=5):
                pass

            script.stdin.write("\n")
            script.stdin.flush()
            script.wait(timeout=10)
            messages(live, until="run")

        wait_until(lambda: get(viewer, f"/api/runs/{run['id']}")["status"] == "finished")
        detail = get(viewer, f"/api/runs/{run['id']}")
        assert (detail["best_metric_name"], detail["best_metric_value"], detail["tags"]) == ("acc", 0.99, ["baseline"])
        item = get(viewer, "/api/v2/experiments?tags=baseline&search=MLP")["experiments"][0]
        assert (item["id"], item["status"], item["best_metric_value"]) == (run["id"], "finished", 0.99)
        page = httpx.get(f"{viewer.url}/runs/{run['id']}", timeout=10)
        assert page.status_code == 200
        assert "acc" in page.text
    finally:
        script.kill()
        script.communicate()


def test_a_killed_script_is_failed_within_a_round_of_the_dead_process_rule(viewer: Viewer):
    script = start_script("rn.init(project='p'); rn.log(loss=1.0); print('up', flush=True); input()", root=viewer.root)
    wait_for_line(script, "up")
    wait_until(lambda: get(viewer, "/api/runs"))

    script.kill()
    script.communicate()

    wait_until(lambda: get(viewer, "/api/runs")[0]["status"] == "failed", timeout_s=30)
    run = get(viewer, f"/api/runs/{get(viewer, '/api/runs')[0]['id']}")
    assert run["exit_reason"] == "process_not_found"
    assert run["ended_at"] == pytest.approx(time.time(), abs=60)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below a folder: the mtime and content of files, and which folders there are."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes()) if path.is_file() else (0, b"")
        for path in root.rglob("*")
    }


def test_looking_at_runs_changes_no_byte_of_the_storage_root(viewer: Viewer, tmp_path: Path):
    run_script("rn.init(project='p', name='q'); rn.log(loss=1.0); rn.log_text('hello')", root=viewer.root)
    with tarfile.open(fixtures() / "storage-0.4.1.tar.gz") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    for folder in (tmp_path / "unpacked" / "storage-0.4.1").iterdir():
        folder.rename(viewer.root / folder.name)
    wait_until(lambda: len(get(viewer, "/api/runs")) == 9)
    before = snapshot(viewer.root)

    for run in get(viewer, "/api/runs"):
        for path in ("", "/metrics", "/metrics_step", "/progress", "/media"):
            get(viewer, f"/api/runs/{run['id']}{path}")
        for path in ("", "/overview", "/logs", "/media"):
            assert httpx.get(f"{viewer.url}/runs/{run['id']}{path}", timeout=10).status_code == 200
        get(viewer, f"/api/v2/experiments/{run['id']}/metrics/fast?downsample=10")
    for path in ("/api/health", "/api/recycle-bin", "/api/v2/experiments?include_deleted=true"):
        get(viewer, path)
    httpx.post(f"{viewer.url}/api/status/check", json={}, timeout=10).raise_for_status()

    assert snapshot(viewer.root) == before
