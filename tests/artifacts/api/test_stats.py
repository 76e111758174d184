"""GET /api/artifacts/stats: what is said is what du says."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.removal import delete_version
from runicorn.artifacts.statistics import artifact_figures
from tests.artifacts.stored import log_version, place_of
from tests.server import ViewerServer, running_server

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("stats")) as server:
        yield server


def du_bytes(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "--block-size=1", folder], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def test_without_artifacts_everything_is_zero(own_server: ViewerServer):
    stats = httpx.get(f"{own_server.url}/api/artifacts/stats").json()

    assert stats.pop("dedup_enabled") is True
    assert stats.pop("by_type") == {}
    assert set(stats.values()) == {0}


def test_equal_contents_are_counted_once_on_the_disk(own_server: ViewerServer):
    root, chosen = own_server.storage, random.Random(1)
    weights, data = chosen.randbytes(2 * MIB), chosen.randbytes(MIB)
    for minute in range(4):
        log_version(root, {"w": weights, "minute": str(minute).encode()}, minute=minute)
    log_version(
        root, {"a": data, "b": data}, name="digits", type="dataset", references=[ReferenceEntry("s3://x", None, 9)]
    )
    delete_version(place_of(root), 4, by="user", at=9.0)
    own_server.scan()

    stats = httpx.get(f"{own_server.url}/api/artifacts/stats").json()

    sizes = {"model": 4 * (2 * MIB + 1), "dataset": 2 * MIB}
    assert stats["by_type"] == {
        "model": {"count": 1, "versions": 4, "size_bytes": sizes["model"]},
        "dataset": {"count": 1, "versions": 1, "size_bytes": sizes["dataset"]},
    }
    assert (stats["total_artifacts"], stats["total_versions"], stats["total_files"]) == (2, 5, 10)
    assert stats["total_size_bytes"] == sum(sizes.values())
    on_disk = du_bytes(root / "artifacts")
    assert stats["dedup_pool_size_bytes"] == on_disk
    assert 3 * MIB < on_disk < 3.2 * MIB
    assert stats["space_saved_bytes"] == sum(sizes.values()) - on_disk
    assert stats["dedup_ratio"] == pytest.approx(1 - on_disk / sum(sizes.values()))
    assert artifact_figures(root).to_dict() == stats
