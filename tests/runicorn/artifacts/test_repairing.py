"""repair: what it gives back, from where, and what it leaves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.compacting import ColdVersions, compact
from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.repairing import Repair, repair
from runicorn.artifacts.verifying import Kind, verify
from tests.runicorn.artifacts.conftest import pool_files

AT = 4_000_000_000.0
BIG = bytes(range(256)) * 4096


def stand_alone(path: Path) -> None:
    """Give the file bytes of its own, as on a disk that was copied without its links."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def damage(path: Path) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"damage")


def test_whole_versions_need_no_repair(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG})

    assert repair(root, at=AT) == Repair()


def test_a_missing_file_comes_back_from_the_pool(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"sub/w": BIG})
    (place.home / "v1/files/sub/w").unlink()

    done = repair(root, at=AT)

    assert [finding.kind for finding in done.mended] == [Kind.MISSING]
    assert done.left == ()
    assert (place.home / "v1/files/sub/w").read_bytes() == BIG
    assert len(pool_files(root)) == 1
    assert pool_files(root)[0].stat().st_nlink == 2


def test_a_damaged_file_comes_back_from_another_version(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG})
    log({"other": BIG})
    stand_alone(place.home / "v2/files/other")
    damage(place.home / "v1/files/w")  # and, by the link, the pool's

    done = repair(root, at=AT)

    assert done.left == ()
    assert len(done.mended) == 2
    assert (place.home / "v1/files/w").read_bytes() == BIG
    assert verify(root).findings == []


def test_damage_that_all_share_is_left_and_shared_no_further(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG})
    log({"w": BIG})
    damage(place.home / "v1/files/w")

    done = repair(root, at=AT)

    assert [finding.version for finding in done.left] == ["net:v1", "net:v2"]
    assert pool_files(root) == []
    log({"w": BIG})
    assert (place.home / "v3/files/w").read_bytes() == BIG
    # the third version has what the others lack
    assert repair(root, at=AT).left == ()
    assert (place.home / "v1/files/w").read_bytes() == BIG


def test_a_damaged_plain_file_gives_way_to_its_chunks(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    pytest.importorskip("pyfastcdc")
    log({"w": BIG})
    compact(root, ColdVersions(include_latest=True), at=AT)
    path = ArtifactStorage(root).get_artifact_file_path("net", "model", 1, "w")
    assert path is not None
    damage(path)

    assert repair(root, at=AT).left == ()

    folder = ArtifactStorage(root).download_artifact("net", "model", 1)
    assert (folder / "w").read_bytes() == BIG


def test_folders_of_newer_pythons_are_renamed_when_asked(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    log({"w": b"2"})
    set_alias(place, 1, "best", at=1.0)
    os.rename(root / "artifacts/model", root / "artifacts/ArtifactType.MODEL")
    log({"w": b"3"})

    assert repair(root, at=AT).moved == ()
    assert repair(root, at=AT, rename_folders=True).moved == ("model/net",)

    assert not (root / "artifacts/ArtifactType.MODEL").exists()
    assert sorted(path.name for path in place.home.glob("v[0-9]*")) == ["v1", "v2", "v3"]
    storage = ArtifactStorage(root)
    assert [info.version for info in storage.list_versions("net")] == [1, 2, 3]
    assert storage.open_artifact("net", "best").version == 1
    assert repair(root, at=AT, rename_folders=True) == Repair()
