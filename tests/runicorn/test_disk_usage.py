from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runicorn.storage.disk_usage import disk_bytes


def du(*folders: Path) -> int:
    done = subprocess.run(["du", "-sc", "-B1", *folders], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1].split()[0])


def make(folder: Path) -> Path:
    (folder / "media").mkdir(parents=True)
    (folder / "events.jsonl").write_bytes(b"x" * 10_000)
    (folder / "media" / "a.png").write_bytes(b"x" * 5000)
    return folder


def test_it_counts_what_du_counts(tmp_path: Path):
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    os.link(first / "events.jsonl", second / "shared")
    with (second / "sparse").open("wb") as file:
        file.truncate(1 << 30)

    assert disk_bytes([first, second]) == du(first, second)


def test_links_are_not_followed(tmp_path: Path):
    run, outside = make(tmp_path / "run"), make(tmp_path / "outside")
    before = disk_bytes([run])
    (run / "file").symlink_to(outside / "events.jsonl")
    (run / "folder").symlink_to(outside)

    assert disk_bytes([run]) - before < 10_000
    assert disk_bytes([run]) == du(run)


def test_what_is_gone_counts_nothing(tmp_path: Path):
    assert disk_bytes([tmp_path / "nowhere"]) == 0
