"""The socket that an open log page listens to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.sync.client import connect

from tests.run_directories import RUN_ID, write_run
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


def frames(server: ViewerServer, run_id: str, places: object) -> Iterator[dict[str, Any]]:
    address = f"{server.ws_url}/live/runs/{run_id}/logs/ws?places={quote(json.dumps(places))}"
    with connect(address) as socket:
        while True:
            yield json.loads(socket.recv(timeout=TIMEOUT_S))


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_lines_come_from_the_place_on_and_the_next_place_with_them(server: ViewerServer):
    log = new_run(server, "on") / "logs.txt"
    log.write_text("one\ntwo\nthree\n", encoding="utf-8")

    first = next(frames(server, "on", {"logs.txt": ["", 4]}))

    assert first["lines"] == ["two", "three"]
    append(log, "four\n")
    assert next(frames(server, "on", first["places"]))["lines"] == ["four"]


def test_a_log_that_was_written_anew_begins_again(server: ViewerServer):
    log = new_run(server, "anew") / "logs.txt"
    log.write_text("one\ntwo\n", encoding="utf-8")
    places = next(frames(server, "anew", {"logs.txt": ["", 0]}))["places"]

    log.rename(log.with_name("old"))
    log.write_text("other one\nother two\nother three\n", encoding="utf-8")

    assert next(frames(server, "anew", places))["lines"] == ["other one", "other two", "other three"]


def test_a_log_that_was_cut_begins_again(server: ViewerServer):
    log = new_run(server, "cut") / "logs.txt"
    log.write_text("one\ntwo\n", encoding="utf-8")
    places = next(frames(server, "cut", {"logs.txt": ["", 0]}))["places"]

    log.write_text("new\n", encoding="utf-8")

    assert next(frames(server, "cut", places))["lines"] == ["new"]


def test_the_log_of_another_host_begins_with_its_last_lines(server: ViewerServer):
    run_dir = new_run(server, "hosts")
    (run_dir / "logs.txt").write_text("here\n", encoding="utf-8")
    (run_dir / "logs.gpu2-77.txt").write_text("".join(f"there {n}\n" for n in range(600)), encoding="utf-8")

    lines = next(frames(server, "hosts", {"logs.txt": ["", 5]}))["lines"]

    assert lines == [f"there {n}" for n in range(100, 600)]


def test_a_page_that_is_far_behind_is_asked_to_load_anew(server: ViewerServer):
    log = new_run(server, "behind") / "logs.txt"
    log.write_text(("x" * 99 + "\n") * 100_000, encoding="utf-8")

    assert next(frames(server, "behind", {"logs.txt": ["", 0]})) == {"reload": True}


@pytest.mark.parametrize("places", [[1], {"logs.txt": "x"}, {"logs.txt": ["", "far"]}, "text"])
def test_places_that_make_no_sense_are_a_problem_and_not_a_crash(server: ViewerServer, places: object):
    frame = next(frames(server, RUN_ID, places))

    assert "load the page again" in frame["problem"]


def test_an_unknown_run_is_a_problem(server: ViewerServer):
    assert "not found" in next(frames(server, "nobody", {}))["problem"].lower()
