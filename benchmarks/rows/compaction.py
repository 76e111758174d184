"""The space that checkpoints take as chunks, what compacting them costs, and the memory for a large one."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measurement import Row
from benchmarks.setting import Setting, run_script
from runicorn.storage.disk_usage import disk_bytes

MIB = 1024 * 1024
COUNT = 10
#: Of each checkpoint against the one before; the rest could take 28 % at the least.
CHANGED_SHARE = 0.2


def measure(setting: Setting) -> list[Row]:
    size = setting.size(50, 25) * MIB
    rows = [_space(setting, size, ranges=ranges, limit=limit) for ranges, limit in ((8, 30), (100, None))]
    return [*rows, _identical(setting, size), *_large(setting, setting.size(1024, 64) * MIB)]


def _space(setting: Setting, size: int, *, ranges: int, limit: float | None) -> Row:
    folder = setting.folder / "checkpoints"
    folder.mkdir()
    files = []
    for index, content in enumerate(_checkpoints(size, ranges)):
        files.append(folder / f"{index}.bin")
        files[-1].write_bytes(content)
    pool, figures = _compact(setting, files)
    share = disk_bytes([pool]) / sum(disk_bytes([file]) for file in files)
    shutil.rmtree(folder)
    name = f"{COUNT} checkpoints of {size // MIB} MiB, {ranges} changed ranges, of plain space"
    against_sha256 = figures["compacting_s"] / figures["hashing_s"]
    return Row(name, 100 * share, "%", limit, {"compacting_against_sha256": against_sha256})


def _identical(setting: Setting, size: int) -> Row:
    file = setting.folder / "checkpoint.bin"
    file.write_bytes(random.Random(1).randbytes(size))
    pool, _ = _compact(setting, [file] * COUNT)
    share = disk_bytes([pool]) / disk_bytes([file])
    file.unlink()
    return Row(f"{COUNT} identical checkpoints of {size // MIB} MiB, of one", 100 * share, "%", 101)


def _large(setting: Setting, size: int) -> list[Row]:
    file, chosen = setting.folder / "large.bin", random.Random(1)
    with open(file, "wb") as content:
        for _ in range(size // (16 * MIB)):
            content.write(chosen.randbytes(16 * MIB))
    _, figures = _compact(setting, [file])
    file.unlink()
    compacting, reading = figures["compacting_s"], figures["reading_last_s"]
    return [
        Row(f"compacting a new file of {size // MIB} MiB, against SHA-256", compacting / figures["hashing_s"], "×"),
        Row("reading it back, hashed, against SHA-256", reading / figures["hashing_last_s"], "×"),
        Row("memory of both over a bare interpreter", figures["peak_mib"], "MiB", 200),
    ]


def _compact(setting: Setting, files: list[Path]) -> tuple[Path, dict[str, Any]]:
    """A pool with the files as chunks, and what the script says."""
    pool = setting.folder / "pool"
    shutil.rmtree(pool, ignore_errors=True)
    pool.mkdir()
    environment = setting.home("library").environment(setting.folder)
    return pool, orjson.loads(run_script("compact_files", str(pool), *map(str, files), environment=environment))


def _checkpoints(size: int, ranges: int) -> Iterator[bytes]:
    """Random bytes, as weights are; a fifth of them overwritten each time, in ranges that do not touch."""
    chosen = random.Random(ranges)
    content = bytearray(chosen.randbytes(size))
    slot = size // ranges
    length = int(slot * CHANGED_SHARE)
    yield bytes(content)
    for _ in range(COUNT - 1):
        for index in range(ranges):
            begin = index * slot + chosen.randrange(slot - length + 1)
            content[begin : begin + length] = chosen.randbytes(length)
        yield bytes(content)
