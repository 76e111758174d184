"""Section E over HTTP: tag, search, delete."""

from __future__ import annotations

import json
import shutil
from typing import Any

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_json, write_run
from tests.server import ViewerServer, running_server

RUN, OTHER = "20250114_153045_e00001", "20250114_153045_e00002"
PATH, OTHER_PATH = f"vision/vit/runs/{RUN}", f"nlp/bert/runs/{OTHER}"
UNKNOWN = "20250114_153045_ffffff"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory):
    with running_server(tmp_path_factory.mktemp("curation")) as server:
        yield server


@pytest.fixture
def server(own_server: ViewerServer) -> ViewerServer:
    """A server with two runs."""
    for entry in own_server.storage.iterdir():
        shutil.rmtree(entry)
    write_run(own_server.storage, PATH, meta={"tags": ["first"]})
    write_run(own_server.storage, OTHER_PATH)
    own_server.scan()
    return own_server


def tag(api: httpx.Client, **body: Any) -> httpx.Response:
    return api.post("/api/experiments/tag", json=body)


def remove(api: httpx.Client, **body: Any) -> httpx.Response:
    return api.request("DELETE", "/api/experiments/delete", json=body)


def found(api: httpx.Client, **query: str) -> list[str]:
    answer = api.get("/api/experiments/search", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["experiments"]]


def tags_of(api: httpx.Client, run_id: str = RUN) -> list[str]:
    tags: list[str] = api.get(f"/api/runs/{run_id}").json()["tags"]
    return tags


def test_tags_are_appended_in_order_and_seen_by_every_door_at_once(server: ViewerServer, api: httpx.Client):
    answer = tag(api, run_id=RUN, tags=["best", "first", "好"])

    assert answer.json() == {"ok": True, "message": f"Tagged {RUN}", "success": True, "data": {"success": True}}
    assert tags_of(api) == ["first", "best", "好"]
    assert json.loads((server.storage / PATH / "curation.json").read_text("utf-8"))["tags"] == ["first", "best", "好"]
    assert [run["tags"] for run in api.get("/api/runs?project=vision").json()] == [["first", "best", "好"]]
    assert api.get("/api/v2/experiments?tags=best,好").json()["total"] == 1
    assert "best" in api.get("/runs").text
    server.scan()
    assert tags_of(api) == ["first", "best", "好"]


def test_without_append_the_tags_are_replaced(server: ViewerServer, api: httpx.Client):
    tag(api, run_id=RUN, tags=["a", "b", "a"], append=False)
    assert tags_of(api) == ["a", "b"]
    tag(api, run_id=RUN, tags=[], append=False)
    assert tags_of(api) == []


def test_description_pinned_and_archived_may_come_along_or_alone(server: ViewerServer, api: httpx.Client):
    tag(api, run_id=RUN, description="the one", pinned=True, archived=True)

    (item,) = api.get("/api/experiments/search?archived=true").json()["experiments"]
    assert item == {
        "id": RUN,
        "project": "vision",
        "name": "vit",
        "tags": ["first"],
        "description": "the one",
        "created_at": CREATED_AT,
        "updated_at": item["updated_at"],
        "archived": True,
        "pinned": True,
        "root": "local",
    }
    tag(api, run_id=RUN, description=None, pinned=False)
    (item,) = api.get("/api/experiments/search?archived=1").json()["experiments"]
    assert (item["description"], item["pinned"], item["archived"]) == (None, False, True)


def test_what_cannot_be_tagged_says_why(server: ViewerServer, api: httpx.Client):
    def problem(**body: Any) -> tuple[int, str]:
        answer = tag(api, **body)
        return answer.status_code, answer.json()["detail"]

    assert problem(tags=["a"]) == (400, "run_id is required")
    assert problem(run_id="", tags=["a"]) == (400, "run_id is required")
    assert api.post("/api/experiments/tag", json=[RUN]).json()["detail"] == "run_id is required"
    assert problem(run_id=UNKNOWN, tags=["a"]) == (404, "Run not found")
    assert problem(run_id="../etc", tags=["a"]) == (404, "Run not found")
    for wrong in ({"tags": "a"}, {"tags": [["a"]]}, {"append": "x"}, {"description": {}}, {"pinned": 7}):
        assert problem(run_id=RUN, **wrong)[0] == 400, wrong
    assert problem(run_id=RUN, tags=["x" * 101])[1].endswith("has 101 characters; at most 100 are kept.")
    (server.storage / PATH / "curation.json").write_text("{broken")
    status, detail = problem(run_id=RUN, tags=["a"])
    assert (status, "Nothing was changed" in detail) == (500, True)
    assert tags_of(api) == ["first"]


def test_a_deleted_run_cannot_be_tagged(server: ViewerServer, api: httpx.Client):
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})

    assert tag(api, run_id=RUN, tags=["a"]).status_code == 404


def test_search_covers_all_runs_newest_change_first(server: ViewerServer, api: httpx.Client):
    tag(api, run_id=RUN, tags=["x", "y"], description="Große Änderung")
    assert found(api) == [RUN, OTHER]
    tag(api, run_id=OTHER, tags=["x"])
    assert found(api) == [OTHER, RUN]

    assert found(api, project="vision") == [RUN]
    assert found(api, tags="x") == [OTHER, RUN]
    assert found(api, tags=" x, y ,") == [RUN]
    assert found(api, tags="X") == []
    assert found(api, text="GROSSE ÄND") == [RUN]
    assert found(api, text="BERT") == [OTHER]
    assert found(api, text="nlp", tags="y") == []
    assert found(api, text="%") == []
    assert found(api, limit="1", offset="1") == [RUN]
    assert found(api, root="local") == [OTHER, RUN]


def test_search_leaves_out_archived_and_deleted_runs(server: ViewerServer, api: httpx.Client):
    tag(api, run_id=RUN, archived=True)

    assert (found(api), found(api, archived="true")) == ([OTHER], [RUN])
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN, OTHER]})
    assert (found(api), found(api, archived="true")) == ([], [])


def test_search_refuses_what_makes_no_sense(server: ViewerServer, api: httpx.Client):
    assert api.get("/api/experiments/search?archived=maybe").status_code == 400
    assert api.get("/api/experiments/search?limit=-1").status_code == 400
    assert api.get("/api/experiments/search?root=nowhere").status_code == 404


def test_deleting_is_for_ever(server: ViewerServer, api: httpx.Client):
    answer = remove(api, run_ids=[RUN, UNKNOWN]).json()

    fields = {"results": {RUN: True, UNKNOWN: False}, "errors": {UNKNOWN: "run not found"}}
    assert answer == {"ok": True, "message": "Permanently deleted 1 of 2 runs", **fields, "data": fields}
    assert not (server.storage / PATH).exists()
    assert api.get("/api/recycle-bin").json() == {"deleted_runs": []}
    assert api.get("/api/v2/experiments?include_deleted=1").json()["total"] == 1


def test_a_run_in_the_recycle_bin_can_be_deleted_for_ever_too(server: ViewerServer, api: httpx.Client):
    api.post("/api/runs/soft-delete", json={"run_ids": [RUN]})

    assert remove(api, run_ids=[RUN]).json()["results"] == {RUN: True}
    assert not (server.storage / PATH).exists()


def test_a_pinned_run_is_deleted_by_force_only(server: ViewerServer, api: httpx.Client):
    tag(api, run_id=RUN, pinned=True)

    refused = remove(api, run_ids=[RUN]).json()
    assert (refused["results"], refused["errors"]) == ({RUN: False}, {RUN: "run is pinned"})
    assert api.get(f"/api/runs/{RUN}").status_code == 200

    assert remove(api, run_ids=[RUN], force=True).json()["results"] == {RUN: True}


def test_a_bad_request_deletes_nothing(server: ViewerServer, api: httpx.Client):
    def detail(**body: Any) -> object:
        answer = remove(api, **body)
        assert answer.status_code == 400, body
        return answer.json()["detail"]

    assert [detail(), detail(run_ids=[]), detail(run_ids=RUN)] == ["run_ids are required"] * 3
    assert detail(run_ids=[RUN] * 101) == "Cannot delete more than 100 runs at once"
    assert detail(run_ids=[RUN, "../x"]) == "Invalid run_id format: ../x"
    assert detail(run_ids=[RUN, 7]) == "Invalid run_id format: 7"
    assert detail(run_ids=[RUN], force="true") == "force must be true or false"
    assert remove(api, run_ids=[RUN, OTHER]).json()["results"] == {RUN: True, OTHER: True}


def test_a_page_of_another_origin_changes_nothing(server: ViewerServer, api: httpx.Client):
    foreign = {"Origin": "http://evil.example"}

    assert api.post("/api/experiments/tag", json={"run_id": RUN, "tags": ["a"]}, headers=foreign).status_code == 403
    body = {"run_ids": [RUN]}
    assert api.request("DELETE", "/api/experiments/delete", json=body, headers=foreign).status_code == 403
    assert tags_of(api) == ["first"]


def test_what_0_4_recorded_is_found_and_goes_on_from_there(server: ViewerServer, api: httpx.Client):
    write_json(server.storage / ".experiments_metadata.json", {OTHER: {"tags": ["old"], "pinned": True}})
    server.scan()

    assert found(api, tags="old") == [OTHER]
    tag(api, run_id=OTHER, tags=["new"])
    assert tags_of(api, OTHER) == ["old", "new"]
    (server.storage / ".experiments_metadata.json").unlink()
