"""Several processes log versions of one artifact at once, some with the same content."""

from __future__ import annotations

import os
from pathlib import Path

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.reading import download
from tests.runicorn.artifacts.conftest import pool_files
from tests.training_scripts import start_script, wait_for_line

PROCESSES, EACH = 6, 5

LOGGER = """
import sys
from runicorn.artifacts import Artifact, ArtifactStorage
storage = ArtifactStorage({root!r})
print("ready", flush=True)
sys.stdin.readline()
for round in range({each}):
    source = {folder!r} + "/same-" + str(round)
    print(storage.save_artifact(Artifact("net"), "run-{number}", [(source, "w"), (source, "again")], []), flush=True)
"""


def test_each_gets_numbers_of_its_own_without_gaps(root: Path, tmp_path: Path):
    for number in range(EACH):
        (tmp_path / f"same-{number}").write_bytes(os.urandom(32) * 10_000)
    loggers = [
        start_script(LOGGER.format(root=str(root), folder=str(tmp_path), number=number, each=EACH), root=root)
        for number in range(PROCESSES)
    ]
    for logger in loggers:
        wait_for_line(logger, "ready")

    outputs = [logger.communicate("go\n", timeout=60) for logger in loggers]

    assert [logger.returncode for logger in loggers] == [0] * PROCESSES, outputs
    numbers = [[int(line) for line in output.split()] for output, _ in outputs]
    assert all(own == sorted(own) and len(own) == EACH for own in numbers)
    assert sorted(number for own in numbers for number in own) == list(range(1, PROCESSES * EACH + 1))
    place = ArtifactPlace(root, "model", "net")
    for info in ArtifactStorage(root).list_versions("net"):
        _, manifest = ArtifactStorage(root).load_artifact("net", "model", info.version)
        download(place, info.version, manifest, tmp_path / "copies" / str(info.version))
    # what all logged lies on the disk once
    assert len(pool_files(root)) == EACH
    inodes = {os.stat(path).st_ino for path in (root / "artifacts/model").rglob("files/*")}
    assert len(inodes) == EACH
