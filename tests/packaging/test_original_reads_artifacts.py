"""Runicorn 0.4.1 itself reads the plain versions that we write, and we read, extend and never harm those it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from runicorn.artifacts import Artifact, ArtifactStorage
from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.verifying import Kind, verify
from tests.components import fixtures, require

READER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from runicorn.artifacts.storage import ArtifactStorage
storage = ArtifactStorage(Path(sys.argv[2]))
versions = {}
for info in storage.list_versions("digits-sgd", "model"):
    metadata, manifest = storage.load_artifact("digits-sgd", "model", info.version, None)
    folder = storage.download_artifact("digits-sgd", "model", info.version, Path(sys.argv[3]) / str(info.version))
    versions[info.version] = [metadata.description, [entry.path for entry in manifest.files]]
latest, _ = storage.load_artifact("digits-sgd", "model", None, None)
print(json.dumps({"versions": versions, "latest": latest.version, "listed": storage.list_artifacts()}))
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of 0.4.1."""
    target = tmp_path_factory.mktemp("original")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", target, "runicorn==0.4.1"], check=False, capture_output=True, text=True)
    require("Runicorn 0.4.1", done.returncode == 0, hint="a package index that has it")
    return target


@pytest.fixture
def old_root(tmp_path: Path) -> Path:
    with tarfile.open(fixtures() / "storage-0.4.1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "storage-0.4.1"


def test_the_original_reads_what_we_added_to_its_root(original: Path, old_root: Path, tmp_path: Path):
    weights = tmp_path / "clf.npz"
    weights.write_bytes(os.urandom(100_000))
    artifact = Artifact("digits-sgd", "model", "ours", {"val_acc": 0.9}).add_file(weights, "model/clf.npz")
    version = ArtifactStorage(old_root).save_artifact(artifact, "20260101_000000_abcdef", artifact.staged_files(), [])
    set_alias(ArtifactPlace(old_root, "model", "digits-sgd"), 2, "best", at=1_800_000_000.0)

    done = subprocess.run(
        [sys.executable, "-c", READER, original, old_root, tmp_path / "read"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert version == 5
    assert seen["versions"]["5"] == ["ours", ["model/clf.npz"]]
    assert sorted(seen["versions"]) == ["1", "2", "3", "4", "5"]
    assert seen["latest"] == 5
    assert (tmp_path / "read/5/model/clf.npz").read_bytes() == weights.read_bytes()
    listed = {item["name"]: item for item in seen["listed"]}
    assert listed["digits-sgd"]["aliases"] == {"latest": 5, "best": 2}


def test_its_versions_are_read_and_are_what_they_were(old_root: Path, tmp_path: Path):
    before = {path: path.read_bytes() for path in (old_root / "artifacts").glob("*/*/v*/**/*") if path.is_file()}
    storage = ArtifactStorage(old_root)

    assert verify(old_root).is_clean
    assert [info.aliases for info in storage.list_versions("digits-sgd")] == [(), (), (), ("latest",)]
    folder = storage.open_artifact("digits-sgd", "latest").download(tmp_path / "copy")
    storage.save_artifact(Artifact("digits-sgd"), "run", [(folder / "model/clf.npz", "model/clf.npz")], [])

    assert {path: path.read_bytes() for path in before} == before
    assert [finding for finding in verify(old_root).findings if finding.kind is not Kind.ORPHANED] == []


def test_the_folders_of_newer_pythons_are_the_type_they_mean(old_root: Path):
    artifacts = old_root / "artifacts"
    os.rename(artifacts / "model", artifacts / "ArtifactType.MODEL")
    storage = ArtifactStorage(old_root)

    assert [item["type"] for item in storage.list_artifacts()] == ["model", "dataset"]
    source = old_root / "new.bin"
    source.write_bytes(b"new")
    assert storage.save_artifact(Artifact("digits-sgd"), "run", [(source, "new.bin")], []) == 5

    assert sorted(path.name for path in (artifacts / "model/digits-sgd").glob("v*")) == ["v5", "versions.json"]
    assert [info.version for info in storage.list_versions("digits-sgd", "model")] == [1, 2, 3, 4, 5]
    assert storage.open_artifact("digits-sgd", 2).version == 2
    assert verify(old_root).is_clean
