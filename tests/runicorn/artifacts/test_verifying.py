"""verify: what it says about whole, damaged, missing and orphaned contents, plain or compacted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts.compacting import ColdVersions, compact
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.verifying import Finding, Kind, verifiable_bytes, verify
from tests.runicorn.artifacts.conftest import pool_files

AT = 4_000_000_000.0
BIG = bytes(range(256)) * 4096
ALL = ColdVersions(include_latest=True)


def found(root: Path) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.version or finding.path) for finding in verify(root).findings]


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)


def test_whole_versions_are_clean_and_shared_bytes_are_hashed_once(
    root: Path, place: ArtifactPlace, log: Callable[..., int]
):
    log({"w": BIG, "again": BIG, "sub/s": b"s"})
    log({"w": BIG})
    hashed: list[int] = []

    result = verify(root, progress=hashed.append)

    assert (result.findings, result.is_clean) == ([], True)
    assert (result.versions, result.files, result.bytes_hashed) == (2, 4, len(BIG) + 1)
    assert sum(hashed) == verifiable_bytes(root) == len(BIG) + 1


def test_a_root_without_artifacts_is_clean(root: Path):
    assert verify(root).is_clean


def test_an_edit_is_damage_of_every_version_that_shares_it(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG, "s": b"s"})
    log({"w": BIG})
    overwrite(place.home / "v1/files/w", b"edited")

    shared = next(path for path in pool_files(root) if path.stat().st_size == len(BIG)).relative_to(root).as_posix()
    assert found(root) == [("damaged", "net:v1"), ("damaged", "net:v2"), ("damaged", shared)]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda file: file.unlink(),
        lambda file: shutil.rmtree(file.parent),
    ],
)
def test_a_file_that_is_gone_is_missing(
    root: Path, place: ArtifactPlace, log: Callable[..., int], break_it: Callable[[Path], None]
):
    log({"sub/w": BIG})
    break_it(place.home / "v1/files/sub/w")

    assert verify(root).findings == [
        Finding(Kind.MISSING, "artifacts/model/net/v1/files/sub/w", f"it should have {len(BIG)} bytes", "net:v1")
    ]


@pytest.mark.parametrize("name", ["manifest.json"])
@pytest.mark.parametrize("content", ["{broken", '{"files": [{"path": "../x", "size": 1, "digest": "sha256:00"}]}'])
def test_a_broken_manifest_is_damage(
    root: Path, place: ArtifactPlace, log: Callable[..., int], name: str, content: str
):
    log({"w": BIG})
    (place.home / "v1" / name).write_text(content)

    assert ("damaged", "net:v1") in found(root)


def test_a_changed_manifest_is_damage(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG, "s": b"s"})
    manifest = place.home / "v1/manifest.json"
    manifest.write_text(manifest.read_text().replace('"path": "s"', '"path": "t"'))

    assert ("damaged", "net:v1") in found(root)
    assert ("missing", "net:v1") in found(root)


def test_a_link_or_pipe_in_place_of_a_file_is_damage(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"a": BIG, "b": BIG + b"b"})
    for name, replace_by in (("a", lambda path: path.symlink_to("/etc/hostname")), ("b", os.mkfifo)):
        path = place.home / "v1/files" / name
        path.unlink()
        replace_by(path)

    assert found(root) == [("damaged", "net:v1")] * 2


def test_what_nobody_names_is_orphaned_and_harms_nobody(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": BIG})
    shutil.rmtree(place.home)

    result = verify(root)

    assert [finding.kind for finding in result.findings] == [Kind.ORPHANED]
    assert result.is_clean
    assert pool_files(root)


def test_compacted_versions_are_verified_too(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    pytest.importorskip("pyfastcdc")
    log({"w": BIG})
    log({"w": BIG})
    compact(root, ALL, at=AT)
    clean = verify(root)
    assert (clean.findings, clean.bytes_hashed) == ([], len(BIG))

    pack = next((root / "artifacts/.dedup/packs").glob("*.pack"))
    overwrite(pack, b"damage")

    assert found(root) == [("damaged", "net:v1"), ("damaged", "net:v2")]
