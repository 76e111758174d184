"""Compacting cold versions: which are taken, what it saves, and that every byte comes back."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.compacting import ColdVersions, CompactionReport, compact, compactable_bytes
from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.places import ArtifactPlace
from runicorn.storage.disk_usage import disk_bytes

pytest.importorskip("pyfastcdc")

AT = 4_000_000_000.0
MIB = 1024 * 1024
ALL = ColdVersions(include_latest=True, include_aliased=True)


def checkpoint(number: int) -> bytes:
    """4 MiB, of which one 256 KiB range is the checkpoint's own."""
    content = bytearray(random.Random(0).randbytes(4 * MIB))
    start = number * MIB // 2
    content[start : start + MIB // 4] = random.Random(number + 1).randbytes(MIB // 4)
    return bytes(content)


@pytest.fixture
def contents(log: Callable[..., int]) -> dict[int, bytes]:
    """Five versions of one checkpoint."""
    return {log({"w.bin": checkpoint(number), "small": b"s"}): checkpoint(number) for number in range(5)}


def plain_versions(place: ArtifactPlace) -> list[int]:
    return [version for version, folder in place.version_folders().items() if (folder / "files/w.bin").exists()]


def test_compacted_versions_take_less_space_and_give_the_same_bytes(
    root: Path, place: ArtifactPlace, contents: dict[int, bytes], tmp_path: Path
):
    before = disk_bytes([root])
    expected = compact(root, ALL, at=AT, dry_run=True)
    assert plain_versions(place) == [1, 2, 3, 4, 5]

    report = compact(root, ALL, at=AT)

    assert report == expected
    assert (report.versions, report.blobs, report.problems) == (5, 5, ())
    assert plain_versions(place) == []
    assert before - disk_bytes([root]) >= report.freed_bytes * 0.95
    assert disk_bytes([root]) < before * 0.5
    for version, content in contents.items():
        folder = ArtifactStorage(root).download_artifact("net", "model", version, tmp_path / str(version))
        assert (folder / "w.bin").read_bytes() == content
        assert (folder / "small").read_bytes() == b"s"
    assert compact(root, ALL, at=AT) == CompactionReport()


def test_only_cold_versions_are_taken(root: Path, place: ArtifactPlace, contents: dict[int, bytes]):
    set_alias(place, 2, "best", at=1.0)

    compact(root, ColdVersions(name="other"), at=AT)
    compact(root, ColdVersions(type="dataset"), at=AT)
    compact(root, ColdVersions(older_than_s=AT), at=AT)
    assert plain_versions(place) == [1, 2, 3, 4, 5]
    assert compactable_bytes(root, ColdVersions(), at=AT) == 3 * 4 * MIB
    compact(root, ColdVersions(name="net", type="model"), at=AT)
    assert plain_versions(place) == [2, 5]
    compact(root, ColdVersions(include_aliased=True), at=AT)
    assert plain_versions(place) == [5]


def test_a_content_that_a_warm_version_holds_stays(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w.bin": checkpoint(0)})
    log({"w.bin": checkpoint(0)})

    assert compact(root, ColdVersions(), at=AT).blobs == 0
    assert plain_versions(place) == [1, 2]


def test_a_compacted_file_becomes_plain_when_its_path_is_asked_for(
    root: Path, place: ArtifactPlace, contents: dict[int, bytes]
):
    compact(root, ALL, at=AT)

    path = ArtifactStorage(root).get_artifact_file_path("net", "model", 3, "w.bin")

    assert path is not None
    assert path.read_bytes() == contents[3]
    assert plain_versions(place) == [3]
    # again, for which nothing is stored
    assert compact(root, ALL, at=AT).chunk_bytes == 0
    assert plain_versions(place) == []


def test_damaged_contents_stay_plain_and_are_named(root: Path, place: ArtifactPlace, contents: dict[int, bytes]):
    damaged = place.home / "v2" / "files" / "w.bin"
    damaged.chmod(0o644)
    with damaged.open("r+b") as file:
        file.write(b"damage")

    report = compact(root, ALL, at=AT)

    assert report.blobs == 4
    assert len(report.problems) == 1
    assert plain_versions(place) == [2]
