"""Deleting a version, bringing it back, removing it for good, and what each says about bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.compacting import ColdVersions, compact
from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.documents import read_index
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.removal import (
    Freed,
    delete_version,
    freed_by_purging,
    freed_by_purging_all,
    purge_version,
    restore_version,
)
from runicorn.artifacts.verifying import verify
from runicorn.errors import ArtifactNotFound, Conflict, VersionNotFound
from runicorn.storage.disk_usage import disk_bytes
from tests.runicorn.artifacts.conftest import age_pool, pool_files

KIB = 1024


def test_a_deleted_version_is_never_latest_and_comes_back(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    log({"w": b"2"})

    assert delete_version(place, 2, by="user", at=7.0)
    assert not delete_version(place, 2, by="user", at=8.0)

    marker = json.loads((place.home / "v2" / ".deleted").read_text())
    assert marker == {"deleted_at": 7.0, "deleted_by": "user", "version": 2, "artifact_name": "net"}
    index = read_index(place)
    assert [info.status for info in index.versions] == ["ready", "deleted"]
    assert index.aliases == {"latest": 1}
    assert ArtifactStorage(place.root).open_artifact("net", "latest").version == 1
    assert restore_version(place, 2, at=9.0)
    assert not restore_version(place, 2, at=9.0)
    assert read_index(place).aliases == {"latest": 2}


def test_a_deleted_version_is_given_by_its_number_with_a_warning(
    place: ArtifactPlace, log: Callable[..., int], caplog: pytest.LogCaptureFixture
):
    log({"w": b"1"})
    delete_version(place, 1, by="user", at=7.0)

    assert ArtifactStorage(place.root).open_artifact("net", 1).version == 1
    assert "net:v1 is deleted" in caplog.text
    with pytest.raises(VersionNotFound, match="Every version of net is deleted"):
        ArtifactStorage(place.root).open_artifact("net", "latest")


def test_of_two_who_restore_and_purge_the_restored_version_stays(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})

    with pytest.raises(Conflict, match=r"net:v1 is not in the recycle bin; nothing was removed\."):
        purge_version(place, 1, at=9.0, only_deleted=True)
    assert ArtifactStorage(place.root).open_artifact("net", 1).version == 1
    delete_version(place, 1, by="user", at=9.0)
    purge_version(place, 1, at=9.0, only_deleted=True)
    with pytest.raises(ArtifactNotFound):
        ArtifactStorage(place.root).open_artifact("net", 1)


def test_a_number_is_never_given_again(place: ArtifactPlace, log: Callable[..., int]):
    for content in (b"1", b"2", b"3"):
        log({"w": content})
    set_alias(place, 3, "best", at=1.0)

    purge_version(place, 3, at=2.0)
    assert read_index(place).aliases == {"latest": 2}
    assert log({"w": b"4"}) == 4
    for version in (1, 2, 4):
        purge_version(place, version, at=3.0)
    with pytest.raises(ArtifactNotFound):
        ArtifactStorage(place.root).open_artifact("net", "latest")
    assert log({"w": b"5"}) == 5


def test_removing_for_good_frees_what_nobody_else_has(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    shared, own, twice = b"s" * 64 * KIB, b"o" * 256 * KIB, b"t" * 128 * KIB
    log({"shared": shared, "own": own, "a": twice, "b": twice})
    log({"shared": shared}, name="other", type="dataset")
    age_pool(root)
    before = disk_bytes([root])
    now = (root / "artifacts").stat().st_mtime

    said = freed_by_purging(place, 1, at=now)
    done = purge_version(place, 1, at=now)

    assert said == done == Freed(freed_bytes=384 * KIB, waiting_bytes=0, shared_bytes=64 * KIB)
    # the folders and documents of the version are gone as well
    assert 384 * KIB <= before - disk_bytes([root]) <= 384 * KIB + 64 * KIB
    assert [path.read_bytes() for path in pool_files(root)] == [shared]


@pytest.mark.parametrize("compacted", [False, True])
def test_what_only_those_share_that_go_is_freed_with_them(
    root: Path, place: ArtifactPlace, log: Callable[..., int], compacted: bool
):
    log({"both": os.urandom(512 * KIB), "all": os.urandom(64 * KIB)})
    first = place.home / "v1/files"
    log({"both": (first / "both").read_bytes(), "own": os.urandom(1024 * KIB)})
    log({"all": (first / "all").read_bytes()}, name="other", type="dataset")
    if compacted:
        pytest.importorskip("pyfastcdc")
        compact(root, ColdVersions(include_latest=True), at=4_000_000_000.0)
    age_pool(root)
    now = (root / "artifacts").stat().st_mtime

    said = freed_by_purging_all([(place, 1), (place, 2), (place, 99)], at=now)
    done = [purge_version(place, version, at=now) for version in (1, 2)]

    assert said.shared_bytes == 64 * KIB
    going = said.freed_bytes + said.waiting_bytes
    assert going == sum(one.freed_bytes + one.waiting_bytes for one in done)
    assert 1536 * KIB <= going <= 1700 * KIB
    assert freed_by_purging_all([(place, 1)], at=now) == Freed(0, 0, 0)


def test_young_content_waits_for_gc(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"w" * KIB})
    now = (root / "artifacts").stat().st_mtime

    assert purge_version(place, 1, at=now) == Freed(freed_bytes=0, waiting_bytes=KIB, shared_bytes=0)

    assert len(pool_files(root)) == 1
    assert not (place.home / "v1").exists()


def test_content_that_another_manifest_names_stays(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    """As on a disk that was copied without its links."""
    log({"w": b"w" * KIB})
    log({"w": b"w" * KIB})
    copy = place.home / "v2" / "files" / "w"
    content = copy.read_bytes()
    copy.unlink()
    copy.write_bytes(content)
    age_pool(root)

    assert purge_version(place, 1, at=(root / "artifacts").stat().st_mtime).shared_bytes == KIB
    assert len(pool_files(root)) == 1


def test_removing_a_compacted_version_frees_its_own_chunks(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    pytest.importorskip("pyfastcdc")
    log({"shared": os.urandom(512 * KIB), "own": os.urandom(1024 * KIB)})
    log({"shared": (place.home / "v1/files/shared").read_bytes()})
    compact(root, ColdVersions(include_latest=True), at=4_000_000_000.0)
    age_pool(root)
    now = (root / "artifacts").stat().st_mtime

    said = freed_by_purging(place, 1, at=now)
    done = purge_version(place, 1, at=now)

    assert said == done
    assert done.shared_bytes == 512 * KIB
    assert 1024 * KIB <= done.freed_bytes + done.waiting_bytes <= 1600 * KIB
    assert verify(root).findings == []
