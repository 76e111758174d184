from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer, running_server

RUN = "20250114_153045_ae0001"
PATH = f"vision/vit/runs/{RUN}"
UNKNOWN = "20250114_153045_ffffff"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Not the one of the other tests: emptying the recycle bin empties all of it."""
    with running_server(tmp_path_factory.mktemp("bin")) as server:
        yield server


@pytest.fixture
def server(own_server: ViewerServer) -> ViewerServer:
    """A server with one run."""
    for entry in own_server.storage.iterdir():
        shutil.rmtree(entry)
    write_run(own_server.storage, PATH, status={"status": "failed"})
    own_server.scan()
    return own_server


def test_a_deleted_run_is_gone_everywhere_at_once_and_its_files_stay(server: ViewerServer, api: httpx.Client):
    before = (server.storage / PATH / "meta.json").read_bytes()

    answer = api.post("/api/runs/soft-delete", json={"run_ids": [RUN]}).json()

    fields = {"deleted_count": 1, "results": {RUN: {"success": True}}}
    assert answer == {"ok": True, "message": "Soft deleted 1 of 1 runs", **fields, "data": fields}
    assert api.get("/api/runs").json() == []
    assert api.get(f"/api/runs/{RUN}").status_code == 404
    assert api.get("/api/v2/experiments").json()["total"] == 0
    assert api.get("/api/v2/experiments?include_deleted=1").json()["total"] == 1
    marker = json.loads((server.storage / PATH / ".deleted").read_text())
    assert (marker["reason"], marker["original_status"]) == ("user_deleted", "failed")
    assert (server.storage / PATH / "meta.json").read_bytes() == before


def test_the_recycle_bin_lists_what_is_in_it(server: ViewerServer, api: httpx.Client):
    assert api.get("/api/recycle-bin").json() == {"deleted_runs": []}
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})

    (item,) = api.get("/api/recycle-bin").json()["deleted_runs"]

    deleted_at = json.loads((server.storage / PATH / ".deleted").read_text())["deleted_at"]
    assert item == {
        "id": RUN,
        "project": "vision",
        "name": "vit",
        "created_time": CREATED_AT,
        "deleted_at": deleted_at,
        "delete_reason": "user_deleted",
        "original_status": "failed",
        "run_dir": str(server.storage / PATH),
        "root": "local",
    }


def test_an_unreadable_marker_still_means_deleted(server: ViewerServer, api: httpx.Client):
    marker = server.storage / PATH / ".deleted"
    marker.write_text("not json")
    server.scan()

    (item,) = api.get("/api/recycle-bin").json()["deleted_runs"]

    assert (item["delete_reason"], item["original_status"]) == ("unknown", "unknown")
    assert item["deleted_at"] == pytest.approx(marker.stat().st_mtime)


def test_a_restored_run_is_back_as_it_was(server: ViewerServer, api: httpx.Client):
    before = api.get(f"/api/runs/{RUN}").json()
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})

    answer = api.post("/api/recycle-bin/restore", json={"run_ids": [RUN]}).json()

    assert answer["message"] == "Restored 1 of 1 runs"
    assert (answer["restored_count"], answer["results"]) == (1, {RUN: {"success": True}})
    assert api.get(f"/api/runs/{RUN}").json() == before
    assert not (server.storage / PATH / ".deleted").exists()


def test_what_could_not_be_done_is_told_run_by_run(api: httpx.Client):
    deleted = api.post("/api/runs/soft-delete", json={"run_ids": [RUN, UNKNOWN]}).json()
    again = api.post("/api/runs/soft-delete", json={"run_ids": [RUN]}).json()
    api.post("/api/recycle-bin/restore", json={"run_ids": [RUN]})
    restored = api.post("/api/recycle-bin/restore", json={"run_ids": [RUN, UNKNOWN]}).json()

    not_found = {"success": False, "error": "run not found"}
    assert (deleted["ok"], deleted["results"]) == (True, {RUN: {"success": True}, UNKNOWN: not_found})
    assert again["results"][RUN] == {"success": False, "error": "already deleted"}
    assert restored["results"] == {RUN: {"success": False, "error": "run not deleted"}, UNKNOWN: not_found}


@pytest.mark.parametrize(
    ("address", "verb"), [("/api/runs/soft-delete", "delete"), ("/api/recycle-bin/restore", "restore")]
)
def test_a_bad_list_of_ids_refuses_the_whole_request(api: httpx.Client, address: str, verb: str):
    def detail(body: object) -> object:
        answer = api.post(address, json=body)
        assert answer.status_code == 400, body
        return answer.json()["detail"]

    missing = "run_ids is required and must be a list"
    assert [detail(body) for body in ({}, {"run_ids": "x"}, {"run_ids": []}, [], "x", {"run_ids": None})] == [
        missing
    ] * 6
    assert detail({"run_ids": [RUN] * 101}) == f"Cannot {verb} more than 100 runs at once"
    for bad in ("x", "../../etc", "", "20250114_153045_ABCDEF", RUN + "\n"):
        assert detail({"run_ids": [RUN, bad]}) == f"Invalid run_id format: {bad}"
    assert detail({"run_ids": [RUN, 7]}) == "Invalid run_id format: 7"
    assert len(api.get("/api/runs").json()) == 1


def test_a_run_with_an_id_of_its_own_can_be_deleted_too(server: ViewerServer, api: httpx.Client):
    write_run(server.storage, "vision/vit/runs/my first run")
    server.scan()

    answer = api.post("/api/runs/soft-delete", json={"run_ids": ["my first run"]}).json()

    assert answer["deleted_count"] == 1


def test_emptying_needs_the_boolean_true(api: httpx.Client):
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})
    for body in ({}, {"confirm": "true"}, {"confirm": 1}, [True]):
        answer = api.post("/api/recycle-bin/empty", json=body)

        assert answer.status_code == 400
        assert answer.json()["detail"] == "Must set confirm=true to permanently delete"
    assert len(api.get("/api/recycle-bin").json()["deleted_runs"]) == 1


def test_emptying_removes_deleted_runs_only_and_follows_no_link(
    server: ViewerServer, api: httpx.Client, tmp_path: Path
):
    kept = write_run(server.storage, "vision/vit/runs/20250114_153045_ae0002")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("keep me")
    (server.storage / PATH / "media").mkdir()
    os.symlink(outside, server.storage / PATH / "media" / "link")
    os.symlink(outside / "precious.txt", server.storage / PATH / "file")
    server.scan()
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})

    answer = api.post("/api/recycle-bin/empty", json={"confirm": True}).json()

    assert (answer["permanently_deleted"], answer["message"]) == (1, "Permanently deleted 1 runs")
    assert answer["results"] == {}
    assert not (server.storage / PATH).exists()
    assert (outside / "precious.txt").read_text() == "keep me"
    assert kept.is_dir()
    assert api.get("/api/recycle-bin").json() == {"deleted_runs": []}


def test_a_run_that_was_brought_back_by_hand_is_not_purged(server: ViewerServer, api: httpx.Client):
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})
    (server.storage / PATH / ".deleted").unlink()  # and the mirror has not looked since

    answer = api.post("/api/recycle-bin/empty", json={"confirm": True}).json()

    assert answer["permanently_deleted"] == 0
    assert answer["results"][PATH]["success"] is False
    assert (server.storage / PATH / "meta.json").is_file()


def test_deleting_a_run_that_has_vanished_says_so(server: ViewerServer, api: httpx.Client):
    run_dir = server.storage / PATH
    shutil.rmtree(run_dir)

    answer = api.post("/api/runs/soft-delete", json={"run_ids": [RUN]}).json()

    assert answer["deleted_count"] == 0
    assert answer["results"][RUN]["success"] is False
