"""What changes below artifacts/ after it was indexed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.db import connections

from artifacts.mirror import ArtifactsMirror
from artifacts.mirror.looks import ROWS_A_PART
from artifacts.models import Artifact, ArtifactAlias, ArtifactFile, ArtifactReference, ArtifactVersion
from experiments.mirror.loop import mirror_once
from experiments.models import Change, Problem, Run, StorageRoot
from runicorn.artifacts.curation import StageMove, VersionEdit, edit_version, move_stage, remove_alias, set_alias
from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.removal import delete_version, purge_version, restore_version
from tests.artifacts.mirror.conftest import NOW, all_rows, follow, new_mirrors
from tests.artifacts.stored import CREATED_AT, RUN_ID, log_version, place_of
from tests.run_directories import write_json

pytestmark = pytest.mark.django_db(databases=["index"])
Tick = Callable[[], None]


def aliases() -> dict[str, int]:
    return dict(ArtifactAlias.objects.values_list("alias", "number"))


def test_a_version_is_mirrored_with_its_files_and_references(root_dir: Path, tick: Tick):
    reference = ReferenceEntry("s3://bucket/x", "etag", 7, {"name": "raw"})
    files = {"w/a.bin": b"12345", "readme": b"hello"}
    log_version(root_dir, files, references=[reference], description="Small", tags=["base"], metadata={"acc": 0.5})
    tick()

    artifact, version = Artifact.objects.get(), ArtifactVersion.objects.get()
    assert (artifact.type, artifact.name, artifact.path) == ("model", "net", "artifacts/model/net")
    assert (artifact.version_count, artifact.latest_version, artifact.latest_size_bytes) == (1, 1, 17)
    assert (artifact.created_at, artifact.updated_at) == (CREATED_AT, CREATED_AT)
    assert (version.number, version.status, version.size_bytes, version.num_files) == (1, "ready", 17, 2)
    assert (version.created_by_run, version.description, version.tags) == (RUN_ID, "Small", ["base"])
    assert (version.metadata, version.stage, version.folder) == ({"acc": 0.5}, "experimental", "artifacts/model/net/v1")
    assert list(ArtifactFile.objects.order_by("path").values_list("number", "path", "size")) == [
        (1, "readme", 5),
        (1, "w/a.bin", 5),
    ]
    found = ArtifactReference.objects.values_list("number", "position", "uri", "checksum", "size", "metadata")
    assert list(found) == [(1, 0, "s3://bucket/x", "etag", 7, {"name": "raw"})]
    assert aliases() == {"latest": 1}
    assert not Problem.objects.exists()


def test_what_people_change_is_seen_by_the_next_tick(root_dir: Path, tick: Tick):
    for minute in range(3):
        log_version(root_dir, {"w": bytes([minute])}, minute=minute)
    tick()
    place = place_of(root_dir)

    set_alias(place, 1, "best", at=5.0)
    edit_version(place, 2, VersionEdit(description="the good one", add_tags=["ship"]), at=6.0)
    move_stage(place, 2, StageMove("staging"), at=7.0)
    tick()
    assert aliases() == {"best": 1, "latest": 3}
    version = ArtifactVersion.objects.get(number=2)
    assert (version.description, version.tags, version.stage, version.updated_at) == (
        "the good one",
        ["ship"],
        "staging",
        7.0,
    )

    remove_alias(place, "best", at=8.0)
    tick()
    assert aliases() == {"latest": 3}


def test_deleting_restoring_and_removing_for_good_are_followed(root_dir: Path, tick: Tick):
    for minute in range(2):
        log_version(root_dir, {"w": bytes([minute])}, minute=minute)
    place = place_of(root_dir)
    delete_version(place, 2, by="user", at=9.0)
    tick()
    deleted = ArtifactVersion.objects.get(number=2)
    assert (deleted.status, deleted.deleted_at, deleted.is_deleted) == ("deleted", 9.0, True)
    assert (Artifact.objects.get().version_count, aliases()) == (1, {"latest": 1})

    restore_version(place, 2, at=10.0)
    tick()
    assert (Artifact.objects.get().latest_version, aliases()) == (2, {"latest": 2})

    purge_version(place, 2, at=11.0)
    tick()
    assert list(ArtifactVersion.objects.values_list("number", flat=True)) == [1]
    assert list(ArtifactFile.objects.values_list("number", flat=True)) == [1]

    purge_version(place, 1, at=12.0)
    tick()
    assert not Artifact.objects.exists()
    assert not ArtifactFile.objects.exists()


def test_an_artifact_of_which_all_is_deleted_stays_without_a_latest(root_dir: Path, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    delete_version(place_of(root_dir), 1, by="user", at=9.0)
    tick()

    artifact = Artifact.objects.get()
    assert (artifact.version_count, artifact.latest_version, artifact.latest_size_bytes, aliases()) == (0, None, 0, {})


def write_large_version(root_dir: Path, *, file_count: int) -> None:
    """The documents of a version; the mirror never asks for its files."""
    folder = place_of(root_dir).home / "v1"
    folder.mkdir(parents=True)
    entries = [{"path": f"{number:06d}", "size": 1, "digest": f"{number:064x}"} for number in range(file_count)]
    write_json(folder / "manifest.json", {"files": entries})
    write_json(folder / "metadata.json", {"num_files": file_count})


def counts() -> tuple[int, int]:
    """Rows of files and of versions."""
    return ArtifactFile.objects.count(), ArtifactVersion.objects.count()


def test_many_files_come_and_go_in_short_transactions_and_are_seen_whole(root_dir: Path, root: StorageRoot):
    write_large_version(root_dir, file_count=3 * ROWS_A_PART)
    mirror, seen = ArtifactsMirror(), []
    for parts in mirror.scan(root, now=NOW):
        mirror.apply(root, parts, now=NOW)
        seen.append(counts())
    assert seen == [(ROWS_A_PART, 0), (2 * ROWS_A_PART, 0), (3 * ROWS_A_PART, 0), (3 * ROWS_A_PART, 1)]

    purge_version(place_of(root_dir), 1, at=NOW)
    seen.clear()
    for parts in mirror.scan(root, now=NOW):
        mirror.apply(root, parts, now=NOW)
        seen.append(counts())
    assert seen == [(2 * ROWS_A_PART, 0), (ROWS_A_PART, 0), (0, 0), (0, 0)]


def test_a_crash_between_two_transactions_leaves_no_half_version(root_dir: Path, root: StorageRoot):
    write_large_version(root_dir, file_count=3 * ROWS_A_PART)
    dying = ArtifactsMirror()
    for parts, _ in zip(dying.scan(root, now=NOW), range(2), strict=False):
        dying.apply(root, parts, now=NOW)
    assert counts() == (2 * ROWS_A_PART, 0)

    follow(new_mirrors(), root)

    assert counts() == (3 * ROWS_A_PART, 1)


def test_a_manifest_edited_by_hand_replaces_the_rows_of_its_files(root_dir: Path, tick: Tick):
    log_version(root_dir, {"a": b"1", "b": b"2"})
    tick()
    manifest = place_of(root_dir).home / "v1" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"] = [entry for entry in content["files"] if entry["path"] != "a"]
    manifest.write_text(json.dumps(content))

    tick()

    assert list(ArtifactFile.objects.values_list("path", flat=True)) == ["b"]
    assert ArtifactVersion.objects.count() == 1


def test_metadata_edited_in_place_is_found_by_the_sweep(root_dir: Path, tick: Tick):
    log_version(root_dir, {"a": b"1"}, description="before")
    tick()
    metadata = place_of(root_dir).home / "v1" / "metadata.json"
    with metadata.open("r+") as file:
        content = json.load(file)
        file.seek(0)
        json.dump(content | {"description": "after"}, file)
        file.truncate()
    tick()

    assert ArtifactVersion.objects.get().description == "after"


def test_a_removed_folder_takes_its_rows_with_it(root_dir: Path, tick: Tick):
    log_version(root_dir, {"a": b"1"})
    log_version(root_dir, {"a": b"1"}, name="other")
    tick()

    shutil.rmtree(place_of(root_dir).home)
    tick()

    assert [artifact.name for artifact in Artifact.objects.all()] == ["other"]


def test_a_root_that_is_away_for_a_while_keeps_its_rows(root_dir: Path, tick: Tick):
    log_version(root_dir, {"a": b"1"})
    tick()

    root_dir.rename(root_dir.with_name("away"))
    tick()
    assert Artifact.objects.count() == 1

    root_dir.with_name("away").rename(root_dir)
    tick()
    assert Artifact.objects.count() == 1


def test_both_folders_of_an_older_artifact_are_one(root_dir: Path, tick: Tick):
    for minute in range(2):
        log_version(root_dir, {"w": bytes([minute])}, minute=minute)
    older = place_of(root_dir).older_home
    older.parent.mkdir()
    place_of(root_dir).home.rename(older)
    tick()
    assert list(ArtifactVersion.objects.values_list("number", "folder")) == [
        (1, "artifacts/ArtifactType.MODEL/net/v1"),
        (2, "artifacts/ArtifactType.MODEL/net/v2"),
    ]

    older.rename(place_of(root_dir).home)
    tick()
    assert ArtifactVersion.objects.get(number=1).folder == "artifacts/model/net/v1"

    place_of(root_dir).home.rename(older)
    log_version(root_dir, {"w": b"new"}, minute=3)
    set_alias(place_of(root_dir), 1, "first", at=NOW)
    tick()

    assert Artifact.objects.get().name == "net"
    assert list(ArtifactVersion.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert aliases() == {"first": 1, "latest": 3}
    assert not Problem.objects.exists()


def test_a_restart_with_nothing_changed_reads_no_file_and_writes_no_row(
    root_dir: Path, root: StorageRoot, tick: Tick, monkeypatch: pytest.MonkeyPatch
):
    for name in ("one", "two"):
        log_version(root_dir, {"w": name.encode()}, name=name)
    tick()
    before, changes = all_rows(), Change.objects.count()
    opened: list[object] = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **more: opened.append(path) or real_open(path, *rest, **more))

    mirror_once(new_mirrors(), root, now=NOW)

    assert [path for path in opened if str(root_dir) in str(path)] == []
    assert (all_rows(), Change.objects.count()) == (before, changes)


def test_a_new_index_says_the_same_as_one_that_followed_along(root_dir: Path, root: StorageRoot, tick: Tick):
    place = place_of(root_dir)
    for minute in range(4):
        log_version(root_dir, {"w": bytes([minute]), "same": b"same"}, minute=minute, metadata={"minute": minute})
        tick()
    log_version(root_dir, {"d": b"data"}, name="data", type="dataset", references=[ReferenceEntry("s3://x")])
    set_alias(place, 1, "best", at=5.0)
    move_stage(place, 1, StageMove("staging"), at=7.0)
    tick()
    delete_version(place, 4, by="user", at=9.0)
    tick()
    purge_version(place, 3, at=11.0)
    (place.home / "v2" / "manifest.json").write_text("{")
    tick()
    before = all_rows()
    assert [problem["path"] for problem in before["problems"]] == ["artifacts/model/net/v2/manifest.json"]

    StorageRoot.objects.all().delete()
    follow(new_mirrors(), StorageRoot.objects.create(key=StorageRoot.LOCAL, path=str(root_dir)))

    assert all_rows() == before


def test_pages_are_told_which_artifact_changed(root_dir: Path, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    tick()
    place = {"root_key": "local", "path": "artifacts/model/net"}
    assert list(Change.objects.values("kind", "root_key", "path", "run_id")) == [
        {"kind": "artifact", **place, "run_id": ""}
    ]

    shutil.rmtree(place_of(root_dir).home)
    tick()

    assert Change.objects.filter(kind=Change.Kind.ARTIFACT, **place).count() == 2


def test_runs_and_artifacts_keep_to_their_own_problems(root_dir: Path, tick: Tick):
    (root_dir / "artifacts" / "model").mkdir(parents=True)
    (root_dir / "artifacts" / "model" / "linked").symlink_to(root_dir)
    (root_dir / "linked").symlink_to(root_dir)
    log_version(root_dir, {"w": b"1"})
    (place_of(root_dir).home / "v1" / "metadata.json").write_text("[]")
    tick()
    paths = {"artifacts/model/linked", "linked", "artifacts/model/net/v1/metadata.json"}
    assert set(Problem.objects.values_list("path", flat=True)) == paths

    (root_dir / "linked").unlink()
    tick()
    assert set(Problem.objects.values_list("path", flat=True)) == paths - {"linked"}

    (root_dir / "artifacts" / "model" / "linked").unlink()
    shutil.rmtree(place_of(root_dir).home)
    tick()
    assert not Problem.objects.exists()


#: What lies where a version's document should be → what its problem says.
BROKEN: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "not valid JSON"),
    "torn": (b'{"files": [', "not valid JSON"),
    "a list": (b"[1]", "holds no JSON object"),
    "deep": (b'{"a":' * 900 + b"1" + b"}" * 900, "nested deeper"),
}
BROKEN_MANIFESTS: Mapping[str, tuple[bytes, str]] = {
    **BROKEN,
    "a path out": (b'{"files": [{"path": "../x", "size": 1, "digest": "%s"}]}' % (b"0" * 64), "cannot be"),
    "no digest": (b'{"files": [{"path": "x", "size": 1}]}', "cannot be"),
    "a negative size": (b'{"files": [{"path": "x", "size": -1, "digest": "%s"}]}' % (b"0" * 64), "cannot be"),
}


@pytest.mark.parametrize(
    ("document", "content", "reason"),
    [("v1/metadata.json", *case) for case in BROKEN.values()]
    + [("v1/manifest.json", *case) for case in BROKEN_MANIFESTS.values()]
    + [("versions.json", *case) for case in BROKEN.values()],
)
def test_a_broken_document_is_a_problem_until_it_is_mended(
    document: str, content: bytes, reason: str, root_dir: Path, tick: Tick
):
    log_version(root_dir, {"w": b"1"}, description="whole")
    log_version(root_dir, {"w": b"2"}, name="other")
    path = place_of(root_dir).home / document
    whole = path.read_bytes()
    path.write_bytes(content)
    tick()

    assert {artifact.name: artifact.latest_version for artifact in Artifact.objects.all()} == {"net": 1, "other": 1}
    (problem,) = Problem.objects.all()
    assert problem.path == f"artifacts/model/net/{document}"
    assert reason in problem.reason
    version = ArtifactVersion.objects.get(artifact__name="net")
    assert (version.size_bytes, version.num_files) == (1, 1)
    assert version.status == ("corrupted" if document == "v1/metadata.json" else "ready")
    assert path.read_bytes() == content

    path.write_bytes(whole)
    tick()
    assert not Problem.objects.exists()
    version = ArtifactVersion.objects.get(artifact__name="net")
    assert (version.status, version.description) == ("ready", "whole")
    assert ArtifactFile.objects.filter(artifact__name="net").count() == 1


def test_hostile_values_in_documents_break_nothing(root_dir: Path, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    home = place_of(root_dir).home
    hostile = {
        "version": "x" * 5000,
        "created_at": "noon",
        "size_bytes": 10**40,
        "num_files": -5,
        "num_references": 10**12,
        "created_by_run": "r" * 5000,
        "created_by_user": "\ud800\0",
        "description": "a\0b\ud800",
        "tags": [1, "fine\0", {}],
        "metadata": {"big": 10**40, "nan": float("nan"), "text": "\0\ud800", "deep": [[1]]},
        "lifecycle_stage": "z" * 500,
        "manifest_digest": "not a digest" * 100,
        "status": "s" * 500,
    }
    (home / "v1" / "metadata.json").write_text(json.dumps(hostile))
    names = {"a\0": 1, "a" * 400: 1, "latest": 77, "gone": 9, "text": "1"}
    (home / "versions.json").write_text(json.dumps({"aliases": names, "versions": [None, 3, {"version": "x"}]}))
    tick()

    version = ArtifactVersion.objects.get()
    assert (version.number, version.stage, version.metadata["text"]) == (
        1,
        "experimental",
        "\N{REPLACEMENT CHARACTER}?",
    )
    assert aliases() == {"latest": 1, "a\N{REPLACEMENT CHARACTER}": 1, "a" * 255: 1}


@pytest.mark.parametrize("name", ["fifo", "file", "link to a folder", "link to nowhere", "a bad name", "not UTF-8"])
def test_what_is_no_artifact_is_passed_over(name: str, root_dir: Path, tick: Tick, tmp_path: Path):
    folder = root_dir / "artifacts" / "model"
    folder.mkdir(parents=True)
    log_version(root_dir, {"w": b"1"})
    if name == "fifo":
        os.mkfifo(folder / "thing")
    elif name == "file":
        (folder / "thing").write_text("x")
    elif name == "link to a folder":
        log_version(tmp_path / "elsewhere", {"w": b"secret"}, name="thing")
        (folder / "thing").symlink_to(tmp_path / "elsewhere" / "artifacts" / "model" / "thing")
    elif name == "link to nowhere":
        (folder / "thing").symlink_to("nowhere")
    elif name == "a bad name":
        (folder / "thing?").mkdir()
    else:
        os.mkdir(os.fsencode(folder) + b"/\xff\xfe")
    tick()

    assert [artifact.name for artifact in Artifact.objects.all()] == ["net"]
    has_problem = name in ("link to a folder", "a bad name", "not UTF-8")
    assert Problem.objects.exists() == has_problem


@pytest.mark.parametrize("document", ["metadata.json", "manifest.json", "../versions.json", ".deleted"])
def test_a_fifo_in_the_place_of_a_document_is_not_waited_for(document: str, root_dir: Path, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    path = place_of(root_dir).home / "v1" / document
    path.unlink(missing_ok=True)
    os.mkfifo(path)

    tick()

    assert Artifact.objects.count() == (0 if document in ("metadata.json", "manifest.json") else 1)


def test_a_run_that_is_removed_leaves_the_versions_it_made(root_dir: Path, root: StorageRoot, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    tick()

    Run.objects.all().delete()

    assert ArtifactVersion.objects.get().created_by_run == RUN_ID


def test_no_constraint_is_left_open(root_dir: Path, tick: Tick):
    log_version(root_dir, {"w": b"1"})
    tick()

    connections["index"].check_constraints()
