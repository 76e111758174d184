"""Two `runicorn serve` and one `runicorn mirror` on PostgreSQL and Redis behave as one viewer."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.sync.client import connect

from tests.command_line import RunningCommand, runicorn, running, wait_until, write_run
from tests.databases import fresh_database
from tests.server import write_limits
from tests.shared_redis import shared_redis

RUN, OTHER = "20250114_153045_a1b2c3", "20250115_101500_7c1e9a"
PATIENCE_S = 20
#: What only one test asks for, so that it alone meets a limit; and so long a window does not end meanwhile.
FEW = 5
LIMITS = {
    "endpoints": {
        "/api": {"max_requests": 1_000_000},
        "/api/recycle-bin": {"max_requests": FEW, "window_seconds": 86_400},
    }
}


class Parts(NamedTuple):
    webs: list[RunningCommand]
    mirror: RunningCommand
    #: Of the database and of Redis, for further commands.
    variables: dict[str, str]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Two web processes and a mirror process; they start at once, on a database without tables."""
    write_run(tmp_path / "root")
    write_limits(tmp_path / "config", LIMITS)
    with ExitStack() as stack:
        variables = {
            "RUNICORN_DATABASE_URL": stack.enter_context(fresh_database(is_migrated=False)),
            "RUNICORN_REDIS_URL": stack.enter_context(shared_redis(tmp_path)),
        }
        serve = ("serve", "--port", "0", "--storage", "root")
        started = [stack.enter_context(running(*serve, folder=tmp_path, **variables)) for _ in range(2)]
        mirror = stack.enter_context(running("mirror", "--storage", "root", folder=tmp_path, **variables))
        for web in started:
            web.wait_for("Storage root: ")
        wait_until(lambda: started[0].get("/api/runs"), started[0].describe)
        yield Parts(started, mirror, variables)


@pytest.fixture
def webs(parts: Parts) -> list[RunningCommand]:
    return parts.webs


def _run(web: RunningCommand, run_id: str = RUN) -> Any:
    return web.get(f"/api/runs/{run_id}")


def test_what_changes_through_one_is_told_by_the_other_at_once(webs: list[RunningCommand], tmp_path: Path):
    one, other = webs

    httpx.post(f"{one.url}/api/experiments/tag", json={"run_id": RUN, "tags": ["best"]}, timeout=30)
    assert _run(other)["tags"] == ["best"]
    assert RUN in httpx.get(f"{other.url}/runs?tags=best").text
    httpx.post(f"{other.url}/api/runs/soft-delete", json={"run_ids": [RUN]}, timeout=30)
    assert one.get("/api/runs") == []
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


def test_a_client_has_its_limit_once_and_not_at_each(webs: list[RunningCommand]):
    answers = [httpx.get(f"{web.url}/api/recycle-bin", timeout=30) for _ in range(FEW) for web in webs]

    assert [answer.status_code for answer in answers] == [200] * FEW + [429] * FEW


def test_an_index_that_is_built_anew_is_what_all_three_go_on_with(parts: Parts, tmp_path: Path):
    reindex = ("reindex", "--storage", "root")
    refused = runicorn(*reindex, folder=tmp_path, **parts.variables)
    parts.mirror.stop(signal.SIGTERM)
    write_run(tmp_path / "root", OTHER)

    done = runicorn(*reindex, folder=tmp_path, **parts.variables)

    assert (refused.returncode, "stop the viewer (or `runicorn mirror`)" in refused.stderr) == (1, True)
    assert (done.returncode, done.stderr) == (0, "")
    for web in parts.webs:
        web.wait_for("was replaced; starting anew.")
        web.wait_for("Storage root: ", count=2)
        assert {run["id"] for run in web.get("/api/runs")} == {RUN, OTHER}
