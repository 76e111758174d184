"""`runicorn artifacts` over a real root: each action, in both spellings."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runicorn.artifacts.removal import delete_version
from tests.artifacts.stored import log_version, place_of
from tests.command_line import runicorn

MIB = 1024 * 1024


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user whose root has three versions of a model and one of a dataset with a Chinese tag."""
    root = tmp_path / "root"
    root.mkdir()
    for minute in range(3):
        log_version(root, {"w.bin": b"x" * (1000 + minute)}, name="net", minute=minute, metadata={"top1": 0.5 + minute})
    log_version(root, {"train.csv": b"1,2\n"}, name="digits", type="dataset", tags=["图像"])
    return tmp_path


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return runicorn("artifacts", *arguments, "--storage", "root", folder=home)


def _json(home: Path, *arguments: str) -> Any:
    done = _run(home, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_list_is_a_table_whose_columns_are_aligned(home: Path):
    done = _run(home, "list")

    first, header, *rows = done.stdout.splitlines()
    assert first == "Found 2 artifact(s):"
    assert header.split() == ["Name", "Type", "Versions", "Size", "Latest"]
    assert [row.split() for row in rows] == [
        ["net", "model", "3", "1002.00", "B", "v3"],
        ["digits", "dataset", "1", "4.00", "B", "v1"],
    ]
    assert len({row.index(" B ") for row in rows}) == 1
    assert _run(home, "--action", "list").stdout == done.stdout
    assert [item["name"] for item in _json(home, "list", "--type", "dataset")] == ["digits"]


def test_versions_and_one_of_them(home: Path):
    delete_version(place_of(home / "root"), 2, by="user", at=9.0)

    lines = _run(home, "versions", "net").stdout.splitlines()
    told = _json(home, "info", "net:v3")

    assert [line.split()[0] for line in lines[2:]] == ["v1", "v2", "v3"]
    assert lines[3].endswith("deleted")
    assert lines[4].endswith("latest")
    assert (told["version"], told["metadata"], told["manifest"]["total_files"]) == (3, {"top1": 2.5}, 1)
    for same in (
        ("info", "net:latest"),
        ("info", "net", "v3"),
        ("--action", "info", "--name", "net", "--version", "3"),
    ):
        assert _json(home, *same) == told
    assert "w.bin" in _run(home, "info", "net:3").stdout
    assert "图像" in _run(home, "info", "digits:v1").stdout


def test_aliases_in_both_spellings(home: Path):
    place = place_of(home / "root")

    def aliases() -> dict[str, int]:
        found: dict[str, int] = json.loads((place.home / "versions.json").read_bytes())["aliases"]
        return found

    assert _run(home, "alias", "set", "net", "v1", "best").stdout == "net:best is v1.\n"
    assert aliases() == {"latest": 3, "best": 1}
    _run(home, "--action", "alias", "--name", "net", "--version", "2", "--alias", "best")
    assert aliases() == {"latest": 3, "best": 2}
    _run(home, "alias", "remove", "net", "best")
    assert aliases() == {"latest": 3}
    _run(home, "alias", "net:v1", "--alias", "old")
    _run(home, "alias", "net", "--alias", "old", "--unset")
    assert aliases() == {"latest": 3}


def test_tags_and_the_description(home: Path):
    assert _json(home, "tag", "net:v1", "--add", "a", "--add", "b", "--description", "small")["tags"] == ["a", "b"]
    assert _json(home, "tag", "net:v1", "--remove", "a")["tags"] == ["b"]
    assert _json(home, "info", "net:v1")["description"] == "small"


def test_deleting_asks_and_restoring_brings_back(home: Path):
    place = place_of(home / "root")

    refused = _run(home, "delete", "net:v3")
    assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
    assert _run(home, "delete", "net:v3", "-y").returncode == 0
    assert (place.home / "v3" / ".deleted").exists()
    assert _run(home, "restore", "net:v3").stdout == "Restored net:v3.\n"
    assert not (place.home / "v3" / ".deleted").exists()


def test_for_good_says_the_bytes_before_it_asks(home: Path):
    done = _run(home, "delete", "net:v2", "--permanent")
    assert done.stdout == "Deleting net:v2 for good frees 0.00 B, 1001.00 B by a gc tomorrow.\n"
    assert done.returncode == 1
    assert place_of(home / "root").version_folder(2).exists()

    assert _json(home, "delete", "net:v2", "--permanent", "--yes")["waiting_bytes"] == 1001
    assert sorted(path.name for path in place_of(home / "root").home.glob("v?")) == ["v1", "v3"]


def test_stats_are_what_du_says(home: Path):
    stats = _json(home, "stats")

    done = subprocess.run(["du", "-s", "--block-size=1", home / "root" / "artifacts"], capture_output=True, check=True)
    assert stats["dedup_pool_size_bytes"] == int(done.stdout.split()[0])
    assert stats["by_type"]["model"] == {"count": 1, "versions": 3, "size_bytes": 3003}
    assert "Versions      : 4" in _run(home, "stats").stdout


def test_verify_finds_damage_and_repair_mends_what_it_can(home: Path):
    assert _run(home, "verify").returncode == 0
    broken = place_of(home / "root").version_folder(1) / "files" / "w.bin"
    broken.chmod(0o644)
    broken.write_bytes(b"y" * 1000)

    done = _run(home, "verify")
    assert done.returncode == 1
    assert "damaged: artifacts/model/net/v1/files/w.bin" in done.stdout
    assert _run(home, "repair").returncode == 1  # nobody has these bytes any more

    good = broken.with_name("good")
    good.write_bytes(b"x" * 1000)
    good.replace(broken)
    assert _run(home, "verify").returncode == 0


def test_compacting_gives_space_back_and_gc_cleans_up(home: Path):
    content = random.Random(1).randbytes(2 * MIB)
    for minute in range(3):
        log_version(home / "root", {"w": content + bytes([minute])}, name="big", minute=minute)

    planned = _json(home, "compact", "big", "--dry-run")
    assert planned["versions"] == 2  # the latest stays
    assert _run(home, "verify").returncode == 0
    did = _json(home, "compact", "big", "--include-latest")
    assert (did["versions"], did["blobs"]) == (3, 3)
    assert did["freed_bytes"] > 3.5 * MIB
    assert _json(home, "compact", "big", "--older-than", "1000000")["versions"] == 0
    assert _run(home, "verify").returncode == 0
    assert _json(home, "gc", "--dry-run")["freed_bytes"] == 0
    assert _run(home, "gc").returncode == 0
    assert _run(home, "verify").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "Say what to do: list, versions"),
        (("dance",), 2, "Say what to do"),
        (("--action", "dance"), 2, "is not one of"),
        (("delete", "net:v1", "-y", "--dry-run"), 2, "--dry-run means nothing to delete"),
        (("info",), 1, "Say which artifact"),
        (("info", "net"), 1, "Say which version of net"),
        (("info", "nope:v1"), 1, "Artifact not found: nope"),
        (("info", "net:v9"), 1, "Version not found: net:v9"),
        (("info", "net:best"), 1, "no alias 'best'"),
        (("alias", "set", "net", "v1", "latest"), 1, "latest"),
        (("alias", "remove", "net", "best"), 1, "no alias"),
        (("tag", "net:v1", "--add", "x" * 500), 1, "tag"),
    ],
)
def test_what_cannot_be_is_said_without_a_traceback(home: Path, arguments, status: int, message: str):
    done = _run(home, *arguments)

    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_root_has_nothing_and_nothing_is_wrong(tmp_path: Path):
    (tmp_path / "root").mkdir()

    assert _run(tmp_path, "list").stdout == "Found 0 artifact(s).\n"
    for action in ("stats", "verify", "gc", "compact", "repair"):
        assert _run(tmp_path, action).returncode == 0
