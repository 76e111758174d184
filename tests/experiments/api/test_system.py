from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import httpx

from runicorn import __version__
from tests.run_directories import write_run
from tests.server import CHECKOUT, ViewerServer


def test_health_says_who_answers_and_how_the_cache_does(server: ViewerServer, api: httpx.Client):
    health = api.get("/api/health").json()

    assert (health["status"], health["version"], health["api_version"]) == ("ok", __version__, "0.4.1")
    assert health["storage"] == str(server.storage)
    assert abs(health["timestamp"] - time.time()) < 60
    assert health["cache"].keys() == {"enabled", "hit_rate", "hits", "misses", "size", "max_size"}
    assert re.fullmatch(r"\d+\.\d%", health["cache"]["hit_rate"])


def test_the_status_check_finds_dead_processes_and_a_get_never_does(server: ViewerServer, api: httpx.Client):
    script = "import os, runicorn; runicorn.init('check', capture_env=False, console=False); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script], env=server.environment, cwd=CHECKOUT, check=False)
    server.scan()
    (run_dir,) = (server.storage / "check" / "default" / "runs").iterdir()
    status_file = run_dir / "status.json"

    api.get("/api/runs")
    api.get(f"/api/runs/{run_dir.name}")
    before = json.loads(status_file.read_text())["status"]
    answer = api.post("/api/status/check").json()

    assert before == "running", "reading changes nothing on disk"
    assert answer["message"] == f"Checked {answer['checked']} running experiments, updated {answer['updated']} statuses"
    assert answer["updated"] == 1
    after = json.loads(status_file.read_text())
    assert (after["status"], after["exit_reason"]) == ("failed", "process_not_found")
    assert api.get(f"/api/runs/{run_dir.name}").json()["status"] == "failed"
    assert api.get(f"/api/v2/experiments/{run_dir.name}").json()["experiment"]["status"] == "failed"
    assert api.get("/api/v2/experiments?project=check&status=running").json()["total"] == 0


def test_a_running_run_of_another_machine_is_left_alone(server: ViewerServer, api: httpx.Client):
    run_id = "20250114_153045_ae3001"
    write_run(
        server.storage, f"far/vit/runs/{run_id}", status={"status": "running"}, meta={"hostname": "gpu-elsewhere"}
    )
    server.scan()

    api.post("/api/status/check")

    assert api.get(f"/api/runs/{run_id}").json()["status"] == "running"


def test_telemetry_answers_also_without_cards(api: httpx.Client):
    answer = api.get("/api/gpu/telemetry").json()

    assert answer["available"] in (True, False)
    assert answer["available"] or answer["reason"]
