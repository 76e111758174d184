"""GET /api/artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runicorn.artifacts.curation import VersionEdit, edit_version, set_alias
from runicorn.artifacts.removal import delete_version
from tests.api_description import check
from tests.artifacts.stored import CREATED_AT, log_version, place_of
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """A root of its own: the list has all artifacts."""
    with running_server(tmp_path_factory.mktemp("artifact-list")) as server:
        fill(server.storage)
        server.scan()
        yield server


def fill(root: Path) -> None:
    log_version(root, {"w": b"1"}, name="vit-s", minute=1)
    log_version(root, {"w": b"22", "v": b"3"}, name="vit-s", minute=5, description="Big Batch", tags=["100%_sure"])
    log_version(root, {"d": b"data"}, name="digits", type="dataset", minute=3)
    log_version(root, {"d": b"old"}, name="trash", type="dataset", minute=2)
    log_version(root, {"c": b"{}"}, name="vit-s", type="config", minute=4)
    set_alias(place_of(root, "vit-s"), 1, "production", at=CREATED_AT + 400)
    delete_version(place_of(root, "trash", "dataset"), 1, by="user", at=CREATED_AT + 500)


def names(api: httpx.Client, query: str) -> list[str]:
    answer = api.get(f"/api/artifacts?{query}")
    assert answer.status_code == 200
    return [f"{item['type']}/{item['name']}" for item in answer.json()]


def test_an_item_says_what_the_reference_says(api: httpx.Client):
    first, *_ = api.get("/api/artifacts").json()

    assert first == {
        "name": "vit-s",
        "type": "model",
        "num_versions": 2,
        "latest_version": 2,
        "size_bytes": 3,
        "created_at": CREATED_AT + 60,
        "updated_at": CREATED_AT + 400,
        "aliases": {"latest": 2, "production": 1},
        "root": "local",
    }


def test_the_newest_change_comes_first_and_what_is_all_deleted_is_left_out(api: httpx.Client):
    assert names(api, "") == ["model/vit-s", "config/vit-s", "dataset/digits"]


def test_deleted_ones_are_shown_when_asked_for(api: httpx.Client):
    assert names(api, "include_deleted=true")[0] == "dataset/trash"

    (item,) = api.get("/api/artifacts?include_deleted=yes&search=trash").json()

    assert (item["num_versions"], item["latest_version"], item["size_bytes"], item["aliases"]) == (0, None, 0, {})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=model", ["model/vit-s"]),
        ("type=hologram", []),
        ("type=", ["model/vit-s", "config/vit-s", "dataset/digits"]),
        ("limit=1", ["model/vit-s"]),
        ("limit=1&offset=1", ["config/vit-s"]),
        ("offset=2", ["dataset/digits"]),
        ("offset=99", []),
        ("limit=0", []),
        ("search=VIT", ["model/vit-s", "config/vit-s"]),
        ("search=production", ["model/vit-s"]),
        ("search=big%20batch", ["model/vit-s"]),
        ("search=100%25_", ["model/vit-s"]),
        ("search=1%25", []),
        ("root=local&search=digits", ["dataset/digits"]),
    ],
)
def test_filters(api: httpx.Client, query: str, found: list[str]):
    assert names(api, query) == found


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=-1", "include_deleted=perhaps", "limit=99999999999"])
def test_what_is_no_number_is_refused(api: httpx.Client, query: str):
    answer = api.get(f"/api/artifacts?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


def test_an_unknown_root_is_not_found(api: httpx.Client):
    assert api.get("/api/artifacts?root=nope").status_code == 404


def test_what_people_record_later_is_found(server: ViewerServer, api: httpx.Client):
    assert names(api, "search=handwritten") == []

    edit_version(place_of(server.storage, "digits", "dataset"), 1, VersionEdit(description="Handwritten"), at=9.0)
    server.scan()

    assert names(api, "search=handwritten") == ["dataset/digits"]


def test_no_artifacts_are_an_empty_array(tmp_path: Path):
    with running_server(tmp_path) as server, httpx.Client(event_hooks={"response": [check]}) as client:
        server.scan()
        answer: Any = client.get(f"{server.url}/api/artifacts").json()

    assert answer == []
