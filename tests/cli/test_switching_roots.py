"""Switching to another storage root while a viewer runs, with its real mirror process."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import RunningCommand, running_viewer, wait_until, write_run

FIRST, SECOND = "20250114_153045_a1b2c3", "20250115_101500_7c1e9a"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another storage root, with a run of its own."""
    root = tmp_path / "other root"
    write_run(root, SECOND)
    return root


def _shown(viewer: RunningCommand) -> dict[str, Any]:
    """What each reader says is there."""
    page = httpx.get(f"{viewer.url}/runs").text
    return {
        "v1": [run["id"] for run in viewer.get("/api/runs")],
        "v2": [run["id"] for run in viewer.get("/api/v2/experiments")["experiments"]],
        "page": [run_id for run_id in (FIRST, SECOND) if run_id in page],
        "projects": viewer.get("/api/projects")["projects"],
        "storage": viewer.get("/api/config")["storage"],
    }


def _all_show(run_id: str, root: Path) -> dict[str, Any]:
    return {"v1": [run_id], "v2": [run_id], "page": [run_id], "projects": ["digits"], "storage": str(root)}


def test_every_reader_follows_at_once_and_the_switch_outlives_a_process(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert _shown(viewer) == _all_show(FIRST, tmp_path / "root")

        answer = httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)

        fields = {"user_root_dir": str(other), "storage": str(other)}
        message = "User root directory updated successfully"
        assert answer.json() == {"ok": True, "message": message, **fields, "data": fields}
        assert _shown(viewer) == _all_show(SECOND, other)
        assert httpx.get(f"{viewer.url}/api/runs/{FIRST}").status_code == 404
        assert viewer.get("/api/health")["storage"] == str(other)

        before = viewer.children()["mirror"]
        before.kill()
        wait_until(lambda: viewer.children().get("mirror") not in (None, before), viewer.describe)
        write_run(other, FIRST)
        wait_until(lambda: len(viewer.get("/api/runs")) == 2, viewer.describe)

        answer = httpx.put(f"{viewer.url}/api/config", json={"user_root": str(tmp_path / "root")}, timeout=30)
        assert answer.json()["storage"] == str(tmp_path / "root")
        assert _shown(viewer) == _all_show(FIRST, tmp_path / "root")
        viewer.stop(signal.SIGTERM)

    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert viewer.get("/api/config")["storage"] == str(tmp_path / "root")


def test_a_viewer_that_is_started_shows_what_it_is_started_with(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)
        config_file = Path(viewer.get("/api/config")["config_file"])
        assert json.loads(config_file.read_bytes())["user_root_dir"] == str(other)
        viewer.stop(signal.SIGTERM)

    with running_viewer(
        "--storage", str(tmp_path / "root"), folder=tmp_path
    ) as viewer:  # what the command line says goes before the user's configuration
        wait_until(lambda: viewer.get("/api/config")["storage"] == str(tmp_path / "root"), viewer.describe)
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert _shown(viewer)["v1"] == [FIRST]
