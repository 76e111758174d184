"""gc: what it removes, what it leaves, and what it says about bytes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts.compacting import ColdVersions, compact
from runicorn.artifacts.garbage import Garbage, collect_garbage
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.removal import purge_version
from runicorn.artifacts.verifying import verify
from runicorn.storage.disk_usage import disk_bytes
from tests.runicorn.artifacts.conftest import TWO_DAYS_S, pool_files

KIB = 1024


def in_two_days() -> float:
    return time.time() + TWO_DAYS_S


def test_contents_that_nobody_names_go_when_they_are_old(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"a": b"a" * 64 * KIB, "b": b"b" * 64 * KIB})
    log({"b": b"b" * 64 * KIB})
    assert purge_version(place, 1, at=time.time()).waiting_bytes == 64 * KIB

    young = collect_garbage(root, at=time.time())
    assert (young.contents, young.freed_bytes, young.waiting_bytes) == (0, 0, 64 * KIB)
    said = collect_garbage(root, at=in_two_days(), dry_run=True)
    before = disk_bytes([root / "artifacts/.dedup"])
    done = collect_garbage(root, at=in_two_days())

    assert said == done == Garbage(contents=1, freed_bytes=64 * KIB)
    assert before - disk_bytes([root / "artifacts/.dedup"]) == 64 * KIB
    assert [path.read_bytes()[:1] for path in pool_files(root) if path.stat().st_size] == [b"b"]
    assert verify(root).is_clean
    assert collect_garbage(root, at=in_two_days()) == Garbage()


def test_what_killed_writers_left_goes_when_it_is_old(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"w" * 64 * KIB})
    for name in (".staging-0011", ".trash-0011"):
        shutil.copytree(place.home / "v1", place.home / name)
    (place.home / ".staging-link").symlink_to(place.home / "v1")
    os.utime(place.home / ".trash-0011/files/w", (1.0, 1.0))

    assert collect_garbage(root, at=time.time()).folders == 0
    assert collect_garbage(root, at=in_two_days()).folders == 2

    assert sorted(path.name for path in place.home.iterdir() if path.is_dir()) == [".staging-link", "v1"]
    assert verify(root).findings == []


def test_what_a_version_being_made_names_stays(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"w" * 64 * KIB})
    os.rename(place.home / "v1", place.home / ".staging-1")
    os.utime(place.home / ".staging-1/metadata.json", (in_two_days(), in_two_days()))

    assert collect_garbage(root, at=in_two_days()) == Garbage(waiting_bytes=disk_bytes([place.home / ".staging-1"]))
    assert len([path for path in pool_files(root) if path.stat().st_size]) == 1


def test_compacted_contents_go_too(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    pytest.importorskip("pyfastcdc")
    log({"w": os.urandom(512 * KIB)})
    compact(root, ColdVersions(include_latest=True), at=4_000_000_000.0)
    shutil.rmtree(place.home)

    done = collect_garbage(root, at=in_two_days())

    assert done.compacted == 1
    assert done.freed_bytes >= 512 * KIB
    assert {path.name for path in pool_files(root)} == {"chunks.lock"}


def test_a_root_without_artifacts_has_no_garbage(root: Path):
    root.mkdir()

    assert collect_garbage(root, at=in_two_days()) == Garbage()
    assert list(root.iterdir()) == []
