"""GET /api/runs/{run_id}/artifacts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from runicorn.artifacts.curation import StageMove, move_stage, set_alias
from runicorn.artifacts.removal import delete_version, purge_version
from tests.artifacts.stored import CREATED_AT, log_version, new_run_id, place_of
from tests.run_directories import write_run
from tests.server import ViewerServer

_counter = itertools.count()

#: What the record of the run says of a version that may be gone.
RECORD = {"name": "gone", "type": "model", "version": 2, "created_at": 7.0, "size_bytes": 88000, "num_files": 1}


def _run(server: ViewerServer, **documents: Mapping[str, Any]) -> Path:
    run_dir = write_run(server.storage, f"vision/vit/runs/{new_run_id()}", **documents)
    server.scan()
    return run_dir


def _created(server: ViewerServer, api: httpx.Client, *records: Any) -> list[dict[str, Any]]:
    """What the API says of the versions that a run says it created."""
    run_dir = _run(server, artifacts_created={"artifacts": list(records)})
    items: list[dict[str, Any]] = api.get(f"/api/runs/{run_dir.name}/artifacts").json()["created"]
    return items


def test_an_unknown_run_is_not_found(api: httpx.Client):
    answer = api.get("/api/runs/nope/artifacts")

    assert (answer.status_code, answer.json()["detail"]) == (404, "Run not found: nope")


def test_a_run_without_artifacts_has_two_empty_lists(server: ViewerServer, api: httpx.Client):
    run_dir = _run(server)

    assert api.get(f"/api/runs/{run_dir.name}/artifacts").json() == {"created": [], "used": []}


@pytest.mark.parametrize("is_older", [False, True], ids=["ours", "folder of 0.4"])
@pytest.mark.parametrize("type_", ["model", "ArtifactType.MODEL"])
def test_a_version_in_the_root_says_more_than_the_record(
    server: ViewerServer, api: httpx.Client, type_: str, is_older: bool
):
    name = f"vit-{next(_counter)}"
    for minute in range(2):
        log_version(server.storage, {"w": b"12345"}, name=name, minute=minute, description="small")
    place = place_of(server.storage, name)
    set_alias(place, 2, "best", at=9.0)
    set_alias(place, 1, "first", at=9.0)
    if is_older:
        place.older_home.parent.mkdir(exist_ok=True)
        place.home.rename(place.older_home)
    record = {**RECORD, "name": name, "type": type_}
    run_dir = _run(server, artifacts_created={"artifacts": [record]}, artifacts_used={"artifacts": [record]})

    answer = api.get(f"/api/runs/{run_dir.name}/artifacts").json()

    item = {
        "name": name,
        "type": "model",
        "version": 2,
        "size_bytes": 5,
        "created_at": CREATED_AT + 60,
        "description": "small",
        "aliases": ["latest", "best"],
        "lifecycle_stage": "experimental",
    }
    assert answer == {"created": [item], "used": [item]}


def test_the_stage_is_what_the_version_says(server: ViewerServer, api: httpx.Client):
    log_version(server.storage, {"w": b"1"}, name="staged")
    move_stage(place_of(server.storage, "staged"), 1, StageMove("staging"), at=9.0)

    (item,) = _created(server, api, {**RECORD, "name": "staged", "version": 1})

    assert item["lifecycle_stage"] == "staging"


def test_a_deleted_version_is_still_told_of_and_one_removed_for_good_by_the_record(
    server: ViewerServer, api: httpx.Client
):
    log_version(server.storage, {"w": b"1"}, name="fading")
    place, record = place_of(server.storage, "fading"), {**RECORD, "name": "fading", "version": 1}
    delete_version(place, 1, by="user", at=9.0)
    (item,) = _created(server, api, record)
    assert (item["size_bytes"], item["lifecycle_stage"]) == (1, "experimental")

    purge_version(place, 1, at=10.0)
    (item,) = _created(server, api, record)
    assert (item["size_bytes"], item["lifecycle_stage"]) == (88000, None)


def test_of_a_version_that_is_gone_the_record_speaks(server: ViewerServer, api: httpx.Client):
    used = {key: value for key, value in RECORD.items() if key != "created_at"} | {"used_at": 8.0}
    run_dir = _run(server, artifacts_created={"artifacts": [RECORD]}, artifacts_used={"artifacts": [used]})

    answer = api.get(f"/api/runs/{run_dir.name}/artifacts").json()

    fields = {"name": "gone", "type": "model", "version": 2, "size_bytes": 88000}
    rest = {"description": "", "aliases": [], "lifecycle_stage": None}
    assert answer["created"] == [{**fields, "created_at": 7.0, **rest}]
    assert answer["used"] == [{**fields, "created_at": None, **rest}]


#: What somebody may have put into a record, and whether an item comes of it.
HOSTILE_RECORDS = {
    "a path out of the root": ({**RECORD, "name": "../../../etc"}, True),
    "a path within": ({**RECORD, "name": "a/../../model/secret"}, True),
    "an absolute path": ({**RECORD, "name": "/etc/passwd"}, True),
    "a long name": ({**RECORD, "name": "x" * 5000}, True),
    "NUL in a name": ({**RECORD, "name": "a\0b"}, True),
    "a name that is no text": ({**RECORD, "name": ["vit-s"]}, False),
    "a type that is a list": ({**RECORD, "type": ["model"]}, True),
    "a type with a path": ({**RECORD, "type": "../model"}, True),
    "a huge version": ({**RECORD, "version": 10**30}, True),
    "a version that is a text": ({**RECORD, "version": "2"}, True),
    "a time that is a text": ({**RECORD, "created_at": "noon", "size_bytes": None}, True),
    "no object": (17, False),
}


@pytest.mark.parametrize("name", HOSTILE_RECORDS)
def test_a_hostile_record_breaks_nothing_and_leads_nowhere(server: ViewerServer, api: httpx.Client, name):
    record, is_listed = HOSTILE_RECORDS[name]
    run_dir = _run(server)
    text = json.dumps({"artifacts": [record, {**RECORD, "name": "after"}]})
    (run_dir / "artifacts_created.json").write_text(text, encoding="utf-8")
    server.scan()

    answer = api.get(f"/api/runs/{run_dir.name}/artifacts")

    items = answer.json()["created"]
    assert answer.status_code == 200
    assert items[-1]["name"] == "after"
    assert [item["lifecycle_stage"] for item in items] == [None] * (2 if is_listed else 1)
