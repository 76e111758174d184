"""The socket that an open log page listens to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.run_directories import write_run
from tests.server import ViewerServer, running_server

TIMEOUT_S = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def new_run(server: ViewerServer, run_id: str) -> Path:
    run_dir = write_run(server.storage, f"vision/vit/runs/{run_id}", status={"status": "running"})
    server.scan()
    return run_dir


def frames(server: ViewerServer, run_id: str) -> Iterator[dict[str, Any]]:
    with connect(f"{server.ws_url}/live/runs/{run_id}/logs/ws") as socket:
        while True:
            yield json.loads(socket.recv(timeout=TIMEOUT_S))


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_the_end_of_each_log_file_is_told_when_it_moves(server: ViewerServer):
    log = new_run(server, "on") / "logs.txt"
    log.write_text("one\ntwo\n", encoding="utf-8")
    log.with_name("logs.gpu2-77.txt").write_text("there\n", encoding="utf-8")
    told = frames(server, "on")

    first = next(told)["files"]
    append(log, "three\n")
    then = next(told)["files"]

    assert {name: end for name, (_, end) in first.items()} == {"logs.txt": 8, "logs.gpu2-77.txt": 6}
    assert then == {**first, "logs.txt": [first["logs.txt"][0], 14]}


def test_a_log_that_was_replaced_or_cut_is_another_file(server: ViewerServer):
    log = new_run(server, "anew") / "logs.txt"
    log.write_text("one\ntwo\n", encoding="utf-8")
    told = frames(server, "anew")
    names = [next(told)["files"]["logs.txt"][0]]

    log.rename(log.with_name("old"))
    log.write_text("other one\nother two\nother three\n", encoding="utf-8")
    names.append(next(frame for frame in told if frame["files"]["logs.txt"][1] > 0)["files"]["logs.txt"][0])
    log.write_text("new\n", encoding="utf-8")
    names.append(next(frame for frame in told if frame["files"]["logs.txt"][1] == 4)["files"]["logs.txt"][0])

    assert len(set(names)) == 3


def test_a_log_that_begins_is_told(server: ViewerServer):
    log = new_run(server, "begins") / "logs.txt"
    told = frames(server, "begins")
    assert next(told) == {"files": {}}

    log.write_text("one\n", encoding="utf-8")

    assert next(frame for frame in told if frame["files"].get("logs.txt"))["files"]["logs.txt"][1] == 4


def test_an_unknown_run_is_a_problem(server: ViewerServer):
    assert "not found" in next(frames(server, "nobody"))["problem"].lower()
