"""rn.Artifact, log_artifact and use_artifact: what a training script does with them, and the files it leaves."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

import runicorn as rn
from runicorn.errors import AliasNotFound, ArtifactNotFound, InvalidInput, VersionNotFound


@pytest.fixture
def run(root: Path):
    with rn.Run(project="digits", storage=root, capture_env=False, console=False) as run:
        yield run


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"w" * 5000)
    return path


def version_folder(root: Path, version: int = 1) -> Path:
    return root / "artifacts" / "model" / "net" / f"v{version}"


def pool_files(root: Path) -> list[Path]:
    return [path for path in (root / "artifacts" / ".dedup").rglob("*") if path.is_file()]


def test_a_logged_file_is_a_plain_file_with_its_documents(run: rn.Run, weights: Path):
    artifact = rn.Artifact("net", "model", "a net", {"acc": 0.5}).add_file(weights, "best/w.bin").add_tags("a", "b")

    assert run.log_artifact(artifact) == 1

    folder = version_folder(run.storage_root)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    manifest = json.loads((folder / "manifest.json").read_text())
    metadata = json.loads((folder / "metadata.json").read_text())
    assert (folder / "files/best/w.bin").read_bytes() == weights.read_bytes()
    assert [(file["path"], file["size"], file["digest"]) for file in manifest["files"]] == [
        ("best/w.bin", 5000, f"sha256:{digest}")
    ]
    assert metadata["created_by_run"] == run.id
    assert (metadata["description"], metadata["tags"], metadata["metadata"]) == ("a net", ["a", "b"], {"acc": 0.5})
    assert (
        metadata["manifest_digest"] == "sha256:" + hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    )
    assert (artifact.version, artifact.is_loaded, artifact.full_name) == (1, True, "net:v1")


def test_a_second_version_of_the_same_content_is_new_and_takes_no_bytes(run: rn.Run, weights: Path):
    run.log_artifact(rn.Artifact("net").add_file(weights))
    second = run.log_artifact(rn.Artifact("net").add_file(weights))

    assert second == 2
    files = [version_folder(run.storage_root, version) / "files/weights.bin" for version in (1, 2)]
    assert len({os.stat(path).st_ino for path in [*files, *pool_files(run.storage_root)]}) == 1
    index = json.loads((version_folder(run.storage_root).parent / "versions.json").read_text())
    assert index["aliases"] == {"latest": 2}
    assert index["next_version"] == 3


def test_stored_bytes_do_not_follow_the_source(run: rn.Run, weights: Path):
    run.log_artifact(rn.Artifact("net").add_file(weights))
    weights.write_bytes(b"other")

    stored = run.use_artifact("net:v1").get_file_path("weights.bin")

    assert stored is not None
    assert stored.read_bytes() == b"w" * 5000
    assert stored.stat().st_mode & 0o222 == 0


def test_unchanged_content_may_be_skipped(run: rn.Run, weights: Path):
    run.log_artifact(rn.Artifact("net").add_file(weights))

    again = rn.Artifact("net").add_file(weights)
    assert run.log_artifact(again, skip_unchanged=True) == 1
    assert again.version == 1
    weights.write_bytes(b"changed")
    assert run.log_artifact(rn.Artifact("net").add_file(weights), skip_unchanged=True) == 2


@pytest.mark.parametrize("spec", ["net:v1", "net:V1", "net:1", "net:latest"])
def test_a_version_is_used_by_number_or_alias(run: rn.Run, weights: Path, tmp_path: Path, spec: str):
    run.log_artifact(rn.Artifact("net", metadata={"acc": 0.5}).add_file(weights))

    artifact = run.use_artifact(spec)
    run.use_artifact(spec)

    assert (artifact.name, artifact.version, artifact.metadata) == ("net", 1, {"acc": 0.5})
    folder = artifact.download(tmp_path / "copy")
    assert (folder / "weights.bin").read_bytes() == weights.read_bytes()
    (folder / "weights.bin").write_bytes(b"may be written to")
    used = json.loads((run.run_dir / "artifacts_used.json").read_text())["artifacts"]
    assert [(entry["type"], entry["name"], entry["version"]) for entry in used] == [("model", "net", 1)]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("net", InvalidInput),
        ("net:", InvalidInput),
        ("net:v0", InvalidInput),
        ("net:v7", VersionNotFound),
        ("net:validated", AliasNotFound),
        ("other:v1", ArtifactNotFound),
        ("../net:v1", ArtifactNotFound),
    ],
)
def test_what_is_not_there_is_said(run: rn.Run, weights: Path, spec: str, error: type[Exception]):
    run.log_artifact(rn.Artifact("net").add_file(weights))

    with pytest.raises(error):
        run.use_artifact(spec)


def test_nothing_to_store_is_an_error(run: rn.Run):
    with pytest.raises(ValueError, match="no files"):
        run.log_artifact(rn.Artifact("net"))

    assert not (run.storage_root / "artifacts").exists()


def test_a_folder_is_stored_without_what_is_excluded(run: rn.Run, tmp_path: Path):
    for path in ("a.txt", "sub/b.txt", "sub/b.tmp", "cache/x/y.bin", "keep/cache.txt"):
        file = tmp_path / "data" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)

    artifact = rn.Artifact("set", "dataset").add_dir(tmp_path / "data", "d", exclude_patterns=["*.tmp", "cache"])
    run.log_artifact(artifact)

    manifest = artifact.get_manifest()
    assert manifest is not None
    assert [entry.path for entry in manifest.files] == ["d/a.txt", "d/keep/cache.txt", "d/sub/b.txt"]


def test_references_are_kept_and_counted(run: rn.Run):
    run.log_artifact(rn.Artifact("set", "dataset").add_reference("s3://b/x", "abc", 12, name="x", owner="me"))

    loaded = run.use_artifact("set:latest")
    assert [entry.to_dict() for entry in loaded.get_references()] == [
        {"uri": "s3://b/x", "checksum": "abc", "size": 12, "metadata": {"name": "x", "owner": "me"}}
    ]
    metadata = loaded.get_metadata()
    assert metadata is not None
    assert (metadata.size_bytes, metadata.num_files, metadata.num_references) == (12, 0, 1)
