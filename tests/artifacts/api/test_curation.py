"""What people change of versions over the API: in the files, and at once in every answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from runicorn import Run
from runicorn.storage import layout
from runicorn.storage.file_lock import file_lock
from tests.artifacts.stored import log_version, place_of
from tests.server import ViewerServer


def _version(server: ViewerServer, name: str, number: int = 1, *, folder: str = "metadata.json") -> dict[str, Any]:
    """A version's document, as it lies in its folder."""
    path = place_of(server.storage, name).version_folder(number) / folder
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _log(server: ViewerServer, name: str, *, versions: int = 1, content: bytes = b"x") -> None:
    for minute in range(versions):
        log_version(server.storage, {"w": content + bytes([minute])}, name=name, minute=minute)
    server.scan()


def _aliases(api: httpx.Client, name: str) -> dict[str, int]:
    (item,) = [item for item in api.get("/api/artifacts").json() if item["name"] == name]
    aliases: dict[str, int] = item["aliases"]
    return aliases


def test_an_alias_moves_to_the_version_that_is_given_it(server: ViewerServer, api: httpx.Client):
    _log(server, "aliased", versions=2)

    for number in (1, 2):
        answer = api.post(f"/api/artifacts/aliased/v{number}/alias", json={"alias": "stable"})
        fields = {"alias": "stable", "version": number}
        assert answer.json() == {"ok": True, "message": "Alias stable set", **fields, "data": fields}
        assert _aliases(api, "aliased") == {"latest": 2, "stable": number}
    assert api.get("/api/artifacts/aliased/v2").json()["aliases"] == ["latest", "stable"]
    assert json.loads((place_of(server.storage, "aliased").home / "versions.json").read_bytes())["aliases"] == {
        "latest": 2,
        "stable": 2,
    }

    removed = api.delete("/api/artifacts/aliased/aliases/stable").json()
    assert (removed["version"], removed["message"]) == (2, "Alias stable removed")
    assert _aliases(api, "aliased") == {"latest": 2}
    assert api.delete("/api/artifacts/aliased/aliases/stable").status_code == 404


@pytest.mark.parametrize("alias", ["latest", "v3", "12", "a b", "a/b", "a:b", "", "x" * 300])
def test_an_alias_that_cannot_be_is_refused(server: ViewerServer, api: httpx.Client, alias: str):
    _log(server, name := f"choosy{len(alias)}-{ord(alias[1:2] or '-')}")

    answer = api.post(f"/api/artifacts/{name}/v1/alias", json={"alias": alias})

    assert answer.status_code == 400
    assert _aliases(api, name) == {"latest": 1}
    assert api.delete(f"/api/artifacts/{name}/aliases/latest").status_code == 400


def test_tags_are_replaced_or_added_and_the_description_follows(server: ViewerServer, api: httpx.Client):
    _log(server, "tagged")

    first = api.post("/api/artifacts/tagged/v1/tags", json={"tags": ["b", "a", "b"], "description": "small"})
    assert first.json()["tags"] == ["b", "a"]
    added = api.post("/api/artifacts/tagged/v1/tags", json={"tags": ["ship"], "append": True})
    assert (added.json()["tags"], added.json()["message"]) == (["b", "a", "ship"], "Tags updated")

    told = api.get("/api/artifacts/tagged/v1").json()
    assert (told["tags"], told["description"]) == (["b", "a", "ship"], "small")
    assert _version(server, "tagged")["tags"] == ["b", "a", "ship"]
    assert [item["name"] for item in api.get("/api/artifacts?search=ship").json()] == ["tagged"]

    api.post("/api/artifacts/tagged/v1/tags", json={"tags": [], "description": None})
    told = api.get("/api/artifacts/tagged/v1").json()
    assert (told["tags"], told["description"]) == ([], "")


def test_a_version_goes_through_its_stages(server: ViewerServer, api: httpx.Client):
    _log(server, "promoted", versions=2)

    answer = api.post("/api/artifacts/promoted/v1/promote", json={"to_stage": "staging", "notes": "good"})
    fields = {"artifact": "promoted:v1", "from_stage": "experimental", "to_stage": "staging"}
    assert answer.json() == {"ok": True, "message": "Successfully promoted to staging", **fields, "data": fields}
    api.post("/api/artifacts/promoted/v1/promote", json={"to_stage": "production"})

    assert _aliases(api, "promoted") == {"latest": 2, "production": 1}
    assert api.get("/api/artifacts/promoted/v1").json()["lifecycle_stage"] == "production"
    (first, _) = _version(server, "promoted")["stage_transitions"]
    assert (first["to_stage"], first["notes"]) == ("staging", "good")

    refused = api.post("/api/artifacts/promoted/v1/promote", json={"to_stage": "experimental"})
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "Invalid transition from production to experimental",
    )
    unknown = api.post("/api/artifacts/promoted/v1/promote", json={"to_stage": "shipped"}).json()["detail"]
    assert unknown.startswith("Invalid target stage: shipped. Must be one of ")
    api.post("/api/artifacts/promoted/v1/promote", json={"to_stage": "archived"})
    assert _aliases(api, "promoted") == {"latest": 2}


def test_deleting_moves_latest_and_restoring_brings_it_back(server: ViewerServer, api: httpx.Client):
    _log(server, "binned", versions=2)

    answer = api.delete("/api/artifacts/binned/v2")
    fields = {"success": True}
    assert answer.json() == {"ok": True, "message": "Soft deleted binned:v2 locally", **fields, "data": fields}
    assert _aliases(api, "binned") == {"latest": 1}
    assert [item["status"] for item in api.get("/api/artifacts/binned/versions").json()] == ["ready", "deleted"]

    answer = api.post("/api/artifacts/binned/v2/restore")
    assert answer.json() == {"ok": True, "message": "Restored binned:v2", **fields, "data": fields}
    assert _aliases(api, "binned") == {"latest": 2}
    assert api.post("/api/artifacts/binned/v2/restore").status_code == 200  # again changes nothing


def test_for_good_means_that_files_and_rows_are_gone(server: ViewerServer, api: httpx.Client):
    _log(server, "purged", versions=2, content=b"purged")
    folder = place_of(server.storage, "purged").version_folder(2)

    answer = api.delete("/api/artifacts/purged/v2?permanent=true").json()

    assert answer["message"] == "Permanently deleted purged:v2 locally"
    assert (answer["freed_bytes"], answer["waiting_bytes"], answer["shared_bytes"]) == (0, 7, 0)
    assert not folder.exists()
    assert api.get("/api/artifacts/purged/v2").status_code == 404
    assert _aliases(api, "purged") == {"latest": 1}

    api.delete("/api/artifacts/purged/v1?permanent=1")
    assert api.get("/api/artifacts/purged/versions").status_code == 404
    assert "purged" not in [item["name"] for item in api.get("/api/artifacts?include_deleted=true").json()]


def test_what_was_promoted_and_evaluated_is_loaded_by_its_alias_after_another_was_removed(
    server: ViewerServer, api: httpx.Client, tmp_path: Path
):
    _log(server, "shipped", versions=3, content=b"shipped")

    for stage in ("staging", "production"):
        assert api.post("/api/artifacts/shipped/v1/promote", json={"to_stage": stage}).status_code == 200
    evaluation = {"metrics": {"top1": 0.9}, "status": "passed"}
    assert api.post("/api/artifacts/shipped/v1/evaluate", json=evaluation).status_code == 200
    assert api.delete("/api/artifacts/shipped/v3?permanent=true").status_code == 200
    log_version(server.storage, {"w": b"again"}, name="shipped", minute=9)
    server.scan()

    assert [item["version"] for item in api.get("/api/artifacts/shipped/versions").json()] == [1, 2, 4]
    assert _aliases(api, "shipped") == {"latest": 4, "production": 1}
    assert api.get("/api/artifacts/shipped/v1/files/w").content == b"shipped\0"
    run = Run(project="vision", storage=server.storage, console=False, capture_env=False)
    folders = {alias: run.use_artifact(f"shipped:{alias}").download(tmp_path / alias) for alias in ("production", "v4")}
    run.finish()
    assert [(folder / "w").read_bytes() for folder in folders.values()] == [b"shipped\0", b"again"]


COMMANDS = [
    ("DELETE", "/api/artifacts/{}/v{}", None),
    ("POST", "/api/artifacts/{}/v{}/restore", None),
    ("POST", "/api/artifacts/{}/v{}/alias", {"alias": "stable"}),
    ("POST", "/api/artifacts/{}/v{}/tags", {"tags": ["a"]}),
    ("POST", "/api/artifacts/{}/v{}/promote", {"to_stage": "staging"}),
    ("POST", "/api/artifacts/{}/v{}/evaluate", {"metrics": {"a": 1}, "status": "passed"}),
]


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_unknown_versions_twin_names_and_foreign_pages_change_nothing(
    server: ViewerServer, api: httpx.Client, method: str, path: str, body: Any
):
    log_version(server.storage, {"w": b"1"}, name="twins")
    log_version(server.storage, {"w": b"1"}, name="twins", type="dataset")
    server.scan()
    before = _version(server, "twins")

    def status(name: str, number: int, **more: Any) -> int:
        return api.request(method, path.format(name, number), json=body, **more).status_code

    assert status("nope", 1) == 404
    assert status("twins", 9) == 404
    assert status("twins", 1) == 409
    assert status("twins", 1, headers={"Origin": "https://elsewhere.example"}) == 403
    assert _version(server, "twins") == before
    assert status("twins", 1, params={"type": "dataset"}) == 200
    assert _version(server, "twins") == before


@pytest.mark.parametrize(("method", "path", "body"), [command for command in COMMANDS if command[2] is not None])
def test_bodies_that_say_nothing_are_refused(server: ViewerServer, api: httpx.Client, method, path, body):
    _log(server, "firm")

    for wrong in ([], {}, {key: {"deep": [1]} for key in body}):
        answer = api.request(method, path.format("firm", 1), json=wrong)
        assert answer.status_code == 400, answer.text
        assert isinstance(answer.json()["detail"], str)


def test_a_broken_document_is_told_of_and_left_as_it_is(server: ViewerServer, api: httpx.Client):
    _log(server, "broken")
    path = place_of(server.storage, "broken").version_folder(1) / "metadata.json"
    path.write_text("{", encoding="utf-8")

    answer = api.post("/api/artifacts/broken/v1/tags", json={"tags": ["a"]})

    assert answer.status_code == 500
    assert "Nothing was changed; mend that file first." in answer.json()["detail"]
    assert path.read_text(encoding="utf-8") == "{"


def test_what_somebody_else_is_changing_is_a_conflict_and_nothing_is_lost(server: ViewerServer, api: httpx.Client):
    _log(server, "held")
    with file_lock(place_of(server.storage, "held").home / layout.ARTIFACT_LOCK, timeout_s=0):
        refused = api.post("/api/artifacts/held/v1/tags", json={"tags": ["late"]})

    assert refused.status_code == 409
    assert "Somebody else has been changing held for 5 s; try again" in refused.text
    assert api.post("/api/artifacts/held/v1/tags", json={"tags": ["late"]}).status_code == 200
