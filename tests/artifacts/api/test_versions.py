"""GET /api/artifacts/{name}/versions and /api/artifacts/{name}/v{version}."""

from __future__ import annotations

import httpx
import pytest

from runicorn.artifacts.curation import StageMove, move_stage, set_alias
from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.removal import delete_version
from tests.artifacts.stored import CREATED_AT, RUN_ID, log_version, place_of
from tests.server import ViewerServer


def test_versions_ascend_and_say_who_points_at_them(server: ViewerServer, api: httpx.Client):
    for minute in range(3):
        log_version(server.storage, {"w": b"x" * (minute + 1)}, name="climb", minute=minute)
    place = place_of(server.storage, "climb")
    set_alias(place, 1, "best", at=9.0)
    delete_version(place, 3, by="user", at=9.0)
    server.scan()

    found = api.get("/api/artifacts/climb/versions").json()

    assert [(item["version"], item["size_bytes"], item["status"], item["aliases"]) for item in found] == [
        (1, 1, "ready", ["best"]),
        (2, 2, "ready", ["latest"]),
        (3, 3, "deleted", []),
    ]
    assert found[0] == {
        "version": 1,
        "created_at": CREATED_AT,
        "created_by_run": RUN_ID,
        "size_bytes": 1,
        "num_files": 1,
        "status": "ready",
        "aliases": ["best"],
    }


def test_one_version_says_all(server: ViewerServer, api: httpx.Client):
    log_version(
        server.storage,
        {"w": b"12345"},
        name="told",
        references=[ReferenceEntry("s3://bucket/x", None, 7)],
        created_by_user="ana",
        description="small",
        tags=["baseline"],
        metadata={"top1": 0.81, "bad": "NaN"},
    )
    move_stage(place_of(server.storage, "told"), 1, StageMove("staging"), at=CREATED_AT + 5)
    server.scan()

    found = api.get("/api/artifacts/told/v1").json()

    assert found.pop("manifest_digest").startswith("sha256:")
    assert found == {
        "name": "told",
        "type": "model",
        "version": 1,
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT + 5,
        "created_by_run": RUN_ID,
        "created_by_user": "ana",
        "size_bytes": 12,
        "num_files": 1,
        "num_references": 1,
        "status": "ready",
        "metadata": {"top1": 0.81, "bad": None},
        "description": "small",
        "tags": ["baseline"],
        "aliases": ["latest"],
        "lifecycle_stage": "staging",
        "deleted_at": None,
        "root": "local",
        "also_in": [],
    }


def test_a_deleted_version_can_be_asked_for(server: ViewerServer, api: httpx.Client):
    log_version(server.storage, {"w": b"1"}, name="binned")
    delete_version(place_of(server.storage, "binned"), 1, by="user", at=9.0)
    server.scan()

    found = api.get("/api/artifacts/binned/v1").json()

    assert (found["status"], found["deleted_at"], found["aliases"]) == ("deleted", 9.0, [])


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("nope/versions", "Artifact not found: nope"),
        ("nope/v1", "Artifact not found: nope"),
        ("known/v2", "Version not found: known:v2"),
        ("known/v0", "Version not found: known:v0"),
        (f"known/v{10**40}", f"Version not found: known:v{10**40}"),
        ("known/v1?type=dataset", "Artifact not found: known"),
        ("known/v1?type=hologram", "Artifact not found: known"),
        ("known/v1?root=nope", "Artifact not found: known"),
        ("known/vx", "Not Found"),
        ("known/v-1", "Not Found"),
        ("known/v1.5", "Not Found"),
    ],
)
def test_what_is_not_there_is_not_found(server: ViewerServer, api: httpx.Client, address: str, detail: str):
    if not place_of(server.storage, "known").home.exists():
        log_version(server.storage, {"w": b"1"}, name="known")
        server.scan()

    answer = api.get(f"/api/artifacts/{address}")

    assert (answer.status_code, answer.json()["detail"]) == (404, detail)


def test_a_name_of_several_types_is_ambiguous_unless_one_has_the_version(server: ViewerServer, api: httpx.Client):
    for type_ in ("model", "dataset", "model"):
        log_version(server.storage, {"w": b"1"}, name="twin", type=type_)
    server.scan()

    for address in ("twin/versions", "twin/v1"):
        answer = api.get(f"/api/artifacts/{address}")
        assert (answer.status_code, answer.json()["error_code"]) == (409, "AMBIGUOUS_ARTIFACT")
        assert answer.json()["detail"] == "twin is the name of a dataset and a model; choose one with ?type=dataset."
    assert api.get("/api/artifacts/twin/v2").json()["type"] == "model"
    assert api.get("/api/artifacts/twin/v1?type=dataset").json()["type"] == "dataset"
    assert len(api.get("/api/artifacts/twin/versions?type=model").json()) == 2


def test_a_name_may_hold_what_an_address_must_escape(server: ViewerServer, api: httpx.Client):
    log_version(server.storage, {"w": b"1"}, name="权重 100% #1")
    server.scan()

    assert api.get("/api/artifacts/%E6%9D%83%E9%87%8D%20100%25%20%231/v1").json()["name"] == "权重 100% #1"


def test_of_two_roots_the_local_one_is_meant_and_the_other_can_be_chosen(
    server: ViewerServer, api: httpx.Client, tmp_path_factory: pytest.TempPathFactory
):
    other = tmp_path_factory.mktemp("other")
    for root, content in ((server.storage, b"ours"), (other, b"theirs!"), (other, b"later")):
        log_version(root, {"w": content}, name="doubled")
    server.scan()
    server.run_python(
        "from experiments.models import StorageRoot\n"
        "from artifacts.mirror import ArtifactKey, refresh_artifact\n"
        f"root = StorageRoot.objects.create(key='gpu1', path={str(other)!r})\n"
        "refresh_artifact(root, ArtifactKey('model', 'doubled'), now=1.0)"
    )
    try:
        found = api.get("/api/artifacts/doubled/v1").json()
        assert (found["size_bytes"], found["root"], found["also_in"]) == (4, "local", ["gpu1"])
        assert api.get("/api/artifacts/doubled/v1?root=gpu1").json()["size_bytes"] == 7
        assert api.get("/api/artifacts/doubled/v2").json()["root"] == "gpu1"
        assert [item["root"] for item in api.get("/api/artifacts?search=doubled").json()] == ["local", "gpu1"]
        assert [item["root"] for item in api.get("/api/artifacts?search=doubled&root=gpu1").json()] == ["gpu1"]
    finally:
        server.run_python("from experiments.models import StorageRoot; StorageRoot.objects.get(key='gpu1').delete()")
