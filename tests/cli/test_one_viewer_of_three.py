"""Two `runicorn serve` and one `runicorn mirror` on PostgreSQL and Redis behave as one viewer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.command_line import RunningCommand, running, wait_until, write_run
from tests.databases import fresh_database
from tests.shared_redis import shared_redis

RUN, OTHER = "20250114_153045_a1b2c3", "20250115_101500_7c1e9a"
PATIENCE_S = 20


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[RunningCommand]]:
    """The two web processes; they and the mirror process start at once, on a database without tables."""
    write_run(tmp_path / "root")
    with ExitStack() as stack:
        variables = {
            "RUNICORN_DATABASE_URL": stack.enter_context(fresh_database(is_migrated=False)),
            "RUNICORN_REDIS_URL": stack.enter_context(shared_redis(tmp_path)),
        }
        serve = ("serve", "--port", "0", "--storage", "root")
        started = [stack.enter_context(running(*serve, folder=tmp_path, **variables)) for _ in range(2)]
        stack.enter_context(running("mirror", "--storage", "root", folder=tmp_path, **variables))
        for web in started:
            web.wait_for("Storage root: ")
        wait_until(lambda: started[0].get("/api/runs"), started[0].describe)
        yield started


def _run(web: RunningCommand, run_id: str = RUN) -> Any:
    return web.get(f"/api/runs/{run_id}")


def test_what_changes_through_one_is_told_by_the_other_at_once(webs: list[RunningCommand], tmp_path: Path):
    one, other = webs

    httpx.post(f"{one.url}/api/experiments/tag", json={"run_id": RUN, "tags": ["best"]}, timeout=30)
    assert _run(other)["tags"] == ["best"]
    assert RUN in httpx.get(f"{other.url}/runs?tags=best").text
    httpx.post(f"{other.url}/api/runs/soft-delete", json={"run_ids": [RUN]}, timeout=30)
    assert [run["id"] for run in one.get("/api/recycle-bin")["deleted_runs"]] == [RUN]
    httpx.post(f"{one.url}/api/recycle-bin/restore", json={"run_ids": [RUN]}, timeout=30)

    write_run(tmp_path / "root", OTHER)
    for web in webs:
        wait_until(lambda: len(web.get("/api/runs")) == 2, web.describe)  # noqa: B023 - called at once


def test_a_socket_of_either_tells_what_a_script_logs(webs: list[RunningCommand], tmp_path: Path):
    run_dir = tmp_path / "root" / "digits" / "mlp" / "runs" / RUN
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(f"{web.url.replace('http', 'ws')}/live/ws")) for web in webs]
        for socket in sockets:
            socket.send(json.dumps({"subscribe": "*"}))
            while json.loads(socket.recv(timeout=PATIENCE_S))["type"] != "subscribed":
                pass
        event = {"ts": 1736868647.0, "type": "metrics", "data": {"loss": 0.25, "global_step": 2}}
        with open(run_dir / "events.jsonl", "a", encoding="utf-8") as events:
            events.write(json.dumps(event) + "\n")
        os.utime(run_dir.parent)

        for socket in sockets:
            while True:
                message = json.loads(socket.recv(timeout=PATIENCE_S))
                if any(change["kind"] == "points" for change in message.get("changes", [])):
                    break

    losses = [[row["loss"] for row in web.get(f"/api/runs/{RUN}/metrics_step")["rows"]] for web in webs]
    assert losses == [[0.5, 0.25]] * 2


def test_both_switch_to_another_storage_root(webs: list[RunningCommand], tmp_path: Path):
    write_run(tmp_path / "elsewhere", OTHER)

    httpx.post(f"{webs[0].url}/api/config/user_root_dir", json={"path": str(tmp_path / "elsewhere")}, timeout=30)

    assert [[run["id"] for run in web.get("/api/runs")] for web in webs] == [[OTHER]] * 2
