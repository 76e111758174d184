"""Killed, or refused by the disk, at each step in turn: every blob stays readable, and the next try ends well."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from runicorn.artifacts.chunks import ChunkStore, Collected
from runicorn.errors import StorageDamaged
from runicorn.storage.digests import Digest, digest_of
from tests.chunk_stores import KB, pack_files, put, random_content, read, recipe_path, write_pack, write_recipe_by_hand

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a step is counted in a forked process")

LATER = 4_000_000_000.0

#: Runs ACTION in a fork for each step of it, each with a copy of the pool, until it gets through. A step is whatever
#: opens, makes, renames, removes or dates something in the pool; it is not done, but ends the process or fails.
HARNESS = """
import errno, os, shutil, signal, sys
from pathlib import Path
from runicorn.artifacts.chunks import ChunkStore
from runicorn.errors import StorageDamaged

template, folder, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.utime"}

def count_steps(pool, stop_at):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in STEPS and any(str(pool) in str(argument) for argument in arguments):
            seen += 1
            if seen == stop_at and mode == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if seen == stop_at:
                raise OSError(errno.EIO, "the disk says no", str(pool))
    sys.addaudithook(hook)
    return lambda: seen >= stop_at

def act(pool):
ACTION

step, stopped = 0, True
while stopped:
    step += 1
    pool = folder / str(step)
    shutil.copytree(template, pool)
    child = os.fork()
    if child == 0:
        is_stopped = count_steps(pool, step)
        try:
            act(pool)
        except StorageDamaged as error:
            print(error, file=sys.stderr)
        os._exit(1 if is_stopped() else 0)
    stopped = os.waitpid(child, 0)[1] != 0
"""


def stopped_at_each_step(action: str, template: Path, folder: Path, mode: str) -> list[Path]:
    """The pools as the process left them; the last got through."""
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", HARNESS.replace("ACTION", action), template, folder, mode],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    pools = sorted(folder.iterdir(), key=lambda pool: int(pool.name))
    assert len(pools) > 10
    return pools


def is_there(pool: Path, content: bytes) -> bool:
    """As a plain file or as chunks."""
    digest = digest_of(content)
    plain = pool / digest[:2] / digest
    if plain.is_file():
        return plain.read_bytes() == content
    ChunkStore(pool).check(digest, size=len(content))
    return True


@pytest.mark.parametrize("mode", ["kill", "fail"])
def test_a_blob_is_plain_or_compacted_wherever_compacting_ends(pool: Path, tmp_path: Path, mode: str):
    pytest.importorskip("pyfastcdc")
    first = random_content(300 * KB)
    second = first[: 100 * KB] + b"changed" + first[100 * KB :]
    earlier, (digest, path) = put(pool, first), put(pool, second)
    with ChunkStore(pool).compacting() as compactor:
        compactor.compact(*earlier)
    earlier[1].unlink()
    action = f"""
    path = pool / {path.relative_to(pool).as_posix()!r}
    import pyfastcdc
    with ChunkStore(pool).compacting(["{earlier[0]}"]) as compactor:
        compactor.compact("{digest}", path)
    path.unlink()
    """

    pools = stopped_at_each_step(action, pool, tmp_path / "pools", mode)

    for left in pools:
        assert is_there(left, first)
        assert is_there(left, second)
        if ChunkStore(left).has(digest):  # it may be plain besides
            ChunkStore(left).check(digest, size=len(second))
        if mode == "fail":
            assert list(left.rglob("*.tmp")) == []
        with ChunkStore(left).compacting([earlier[0]]) as compactor:
            compactor.compact(*put(left, second))
        ChunkStore(left).collect(lambda blobs: blobs, at=LATER)
        ChunkStore(left).check(digest, size=len(second))
        assert list(left.rglob("*.tmp")) == []
        assert len(pack_files(left)) == 2


@dataclass(frozen=True)
class Garbage:
    """A pool where a collection removes two blobs and a pack, and writes two packs anew that three blobs need."""

    pool: Path
    blobs: dict[Digest, bytes]
    living: set[bytes]

    @property
    def action(self) -> str:
        return f"""
    ChunkStore(pool).collect(lambda blobs: {sorted(self.blobs)!r}, at={LATER!r})
    """

    def assert_all_readable(self, pool: Path) -> None:
        for digest, content in self.blobs.items():
            assert read(pool, digest) == content

    def assert_the_next_ends_well(self, pool: Path) -> None:
        assert ChunkStore(pool).collect(lambda blobs: set(self.blobs), at=LATER).problems == ()
        self.assert_all_readable(pool)
        assert ChunkStore(pool).collect(lambda blobs: set(self.blobs), at=LATER) == Collected()
        # what had moved before the end may be stored twice: what is needed, in the old place and in the new one
        assert sum(path.stat().st_size for path in pack_files(pool)) <= 2 * sum(map(len, self.living))
        assert len(list((pool / "packs").iterdir())) == 2 * len(pack_files(pool))
        assert len(list(pool.rglob("*.recipe"))) == len(self.blobs)


@pytest.fixture
def garbage(pool: Path) -> Garbage:
    chunks = [random_content(8 * KB, seed=seed) for seed in range(8)]
    packs = [write_pack(pool, chunks[:4]), write_pack(pool, chunks[4:])]
    gone_pack = write_pack(pool, [b"gone"])

    def add(*numbers: int) -> tuple[Digest, bytes]:
        content = b"".join(chunks[number] for number in numbers)
        extents = [[number // 4, number % 4 * 8 * KB, 8 * KB] for number in numbers]
        return write_recipe_by_hand(pool, content, packs, extents), content

    blobs = dict([add(1, 6), add(6, 1), add(1, 2, 7)])
    write_recipe_by_hand(pool, b"gone", [gone_pack], [[0, 0, 4]])
    add(0, 5)
    for path in pool.rglob("*"):
        os.utime(path, (1, 1))
    return Garbage(pool, blobs, living={chunks[1] + chunks[2], chunks[6] + chunks[7]})


@pytest.mark.parametrize("mode", ["kill", "fail"])
def test_what_is_needed_stays_readable_wherever_a_collection_ends(garbage: Garbage, tmp_path: Path, mode: str):
    pools = stopped_at_each_step(garbage.action, garbage.pool, tmp_path / "pools", mode)

    for left in pools:
        garbage.assert_all_readable(left)
        garbage.assert_the_next_ends_well(left)
    assert {path.read_bytes() for path in pack_files(pools[-1])} == garbage.living


@pytest.mark.parametrize("mode", ["kill", "fail"])
def test_a_collection_may_end_anywhere_after_one_that_ended_half_way(garbage: Garbage, tmp_path: Path, mode: str):
    """The packs that the second one writes may be there already, and blobs need them or do not."""
    first = stopped_at_each_step(garbage.action, garbage.pool, tmp_path / "first", "kill")
    most = max(len(pack_files(left)) for left in first)
    half_way = [left for left in first if len(pack_files(left)) == most]

    pools = stopped_at_each_step(garbage.action, half_way[len(half_way) // 2], tmp_path / "second", mode)

    for left in pools:
        garbage.assert_all_readable(left)
        garbage.assert_the_next_ends_well(left)


def test_the_harness_sees_a_blob_that_was_lost(pool: Path):
    content = random_content(KB)
    digest = write_recipe_by_hand(pool, content, [write_pack(pool, [content])], [[0, 0, KB]])
    os.unlink(pack_files(pool)[0])

    assert recipe_path(pool, digest).exists()
    with pytest.raises(StorageDamaged):
        is_there(pool, content)
