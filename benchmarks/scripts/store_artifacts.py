"""Stores a large file twice, downloads it, and stores a folder of many small files; each beside what it is held to.

Arguments: folder (empty), size of the large file in MiB, number of small files, repetitions. Prints one JSON object:
for ``first``, ``second``, ``folder`` and ``download`` a list of [seconds, seconds of the floor], one pair a repetition;
``new_bytes``, what the second version took on the disk beyond its documents; and ``peak_mib``, by how much the memory's
peak exceeds that of a bare interpreter.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import runicorn as rn
from benchmarks.scripts.compact_files import BARE_MIB, peak_mib, seconds
from runicorn.storage.disk_usage import disk_bytes

SMALL_BYTES = 10_000
MIB = 1024 * 1024


def main() -> None:
    folder, size_mib, small_count, repetitions = Path(sys.argv[1]), *map(int, sys.argv[2:])
    root = folder / "root"
    pairs: dict[str, list[tuple[float, float]]] = {"first": [], "second": [], "folder": [], "download": []}
    run = rn.init(project="bench", name="artifacts", storage=str(root), capture_env=False)
    new_bytes = 0
    for number in range(repetitions):
        source, small = folder / f"large-{number}.bin", folder / f"small-{number}"
        write_random(source, size_mib)
        small.mkdir()
        for index in range(small_count):
            (small / f"{index:05d}.bin").write_bytes(os.urandom(SMALL_BYTES))
        os.sync()

        copied = folder / f"copied-{number}"
        touch_memory(folder, size_mib)
        floor = seconds(lambda: (copy(source, copied), digest_of(source), flush(copied)))  # noqa: B023 - called at once
        touch_memory(folder, size_mib)
        model = rn.Artifact(f"large-{number}").add_file(source, name="large.bin")
        pairs["first"].append((seconds(lambda: run.log_artifact(model)), floor))  # noqa: B023

        before = disk_bytes([root / "artifacts"])
        again = rn.Artifact(f"large-{number}").add_file(source, name="large.bin")
        floor_of_second = seconds(lambda: digest_of(source))  # noqa: B023
        pairs["second"].append((seconds(lambda: run.log_artifact(again)), floor_of_second))  # noqa: B023
        new_bytes = max(new_bytes, disk_bytes([root / "artifacts"]) - before)

        touch_memory(folder, size_mib)
        stored, target = run.use_artifact(f"large-{number}:latest"), folder / f"downloaded-{number}"
        pairs["download"].append((seconds(lambda: stored.download(target)), floor))  # noqa: B023

        data = rn.Artifact(f"small-{number}", "dataset").add_dir(small)
        copied_small = folder / f"copied-small-{number}"
        floor = seconds(lambda: copy_and_hash(small, copied_small))  # noqa: B023
        pairs["folder"].append((seconds(lambda: run.log_artifact(data)), floor))  # noqa: B023
    run.finish()
    print(json.dumps({**pairs, "new_bytes": new_bytes, "peak_mib": peak_mib() - BARE_MIB}))


def touch_memory(folder: Path, size_mib: int) -> None:
    """Give the kernel as much free memory as the next copy needs.

    What a virtual machine has not touched for a while its host has to find first: 2 s a GiB, whoever copies.
    """
    path = folder / "touched.bin"
    write_random(path, size_mib + 128)
    path.unlink()


def write_random(path: Path, size_mib: int) -> None:
    with open(path, "wb") as file:
        for _ in range(size_mib // 16):
            file.write(os.urandom(16 * MIB))


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)


def flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_and_hash(source: Path, target: Path) -> None:
    copy(source, target)
    for path in source.iterdir():
        digest_of(path)
    subprocess.run(["sync", "--file-system", target], check=True)


if __name__ == "__main__":
    main()
