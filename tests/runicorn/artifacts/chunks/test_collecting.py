"""What no blob needs is removed after a day; what one needs stays readable whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from runicorn.artifacts.chunks import ChunkStore, Collected
from runicorn.artifacts.chunks.pack_index import read_index
from runicorn.errors import Conflict, NotFound, StorageDamaged
from runicorn.storage.digests import Digest, digest_of
from runicorn.storage.disk_usage import disk_bytes
from runicorn.storage.file_lock import file_lock
from tests.chunk_stores import KB, pack_files, random_content, read, recipe_path, write_pack, write_recipe_by_hand

DAY = 24 * 3600.0
WRITTEN = 1_700_000_000.0
NOW = WRITTEN + DAY + 1
CHUNKS = [random_content(size * KB, seed=size) for size in (8, 12, 16, 4, 20)]


def add_blob(pool: Path, pack: Digest, chunk_numbers: Sequence[int]) -> Digest:
    """A blob of whole chunks of the pack that holds CHUNKS."""
    offsets = [sum(map(len, CHUNKS[:number])) for number in range(len(CHUNKS))]
    extents = [[0, offsets[number], len(CHUNKS[number])] for number in chunk_numbers]
    return write_recipe_by_hand(pool, b"".join(CHUNKS[number] for number in chunk_numbers), [pack], extents)


@pytest.fixture
def pack(pool: Path) -> Digest:
    return write_pack(pool, CHUNKS)


def age(pool: Path) -> None:
    """Everything in the pool was written at WRITTEN."""
    for path in pool.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (WRITTEN, WRITTEN))


def state(pool: Path) -> dict[Path, tuple[int, float]]:
    """Size and mtime of whatever lies in the pool."""
    paths = [path for path in pool.rglob("*") if path.name != "chunks.lock"]
    return {path: (path.stat().st_size, path.stat().st_mtime) for path in paths}


def collect(pool: Path, named: Collection[Digest], *, at: float = NOW, dry_run: bool = False) -> Collected:
    return ChunkStore(pool).collect(lambda blobs: set(named), at=at, dry_run=dry_run)


def test_a_blob_that_nobody_names_goes_with_its_pack(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, range(5))
    age(pool)
    before = disk_bytes([pool / "packs", recipe_path(pool, digest).parent])

    collected = collect(pool, [])

    assert (collected.blobs, collected.packs, collected.problems) == (1, 1, ())
    assert collected.freed_bytes == before - disk_bytes([pool / "packs", recipe_path(pool, digest).parent])
    assert collected.freed_bytes > 60 * KB
    assert list((pool / "packs").iterdir()) == []
    with pytest.raises(NotFound):
        read(pool, digest)


def test_the_one_who_is_asked_is_told_every_blob(pool: Path, pack: Digest):
    digests = {add_blob(pool, pack, [0]), add_blob(pool, pack, [1, 2])}
    asked: list[set[Digest]] = []

    ChunkStore(pool).collect(lambda blobs: asked.append(set(blobs)) or blobs, at=NOW)

    assert asked == [digests]


def test_a_blob_that_is_named_stays_and_so_does_its_pack(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, range(5))
    age(pool)

    assert collect(pool, [digest]) == Collected()

    assert read(pool, digest) == b"".join(CHUNKS)


def test_what_is_younger_than_a_day_waits(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, range(5))
    age(pool)

    collected = collect(pool, [], at=WRITTEN + DAY - 1)

    assert collected.freed_bytes == 0
    assert collected.waiting_bytes == pytest.approx(sum(map(len, CHUNKS)), rel=0.1)
    assert read(pool, digest) == b"".join(CHUNKS)


def test_a_young_blob_waits_with_the_bytes_that_only_it_needs(pool: Path, pack: Digest):
    named, _ = add_blob(pool, pack, [0, 1, 2]), add_blob(pool, pack, range(5))
    age(pool)

    collected = collect(pool, [named], at=WRITTEN)

    assert collected.waiting_bytes == pytest.approx(len(CHUNKS[3] + CHUNKS[4]), abs=4 * KB)


def test_a_pack_that_no_recipe_names_is_what_a_crash_left(pool: Path, pack: Digest):
    age(pool)

    collected = collect(pool, [])

    assert (collected.blobs, collected.packs) == (0, 1)
    assert list((pool / "packs").iterdir()) == []


def test_an_index_without_its_pack_goes(pool: Path, pack: Digest):
    pack_files(pool)[0].unlink()
    age(pool)

    collect(pool, [])

    assert list((pool / "packs").iterdir()) == []


def test_what_writers_left_goes_and_what_is_not_ours_stays(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, range(5))
    folder = recipe_path(pool, digest).parent
    left = [
        pool / "packs" / ".0123abcd.pack.tmp",
        pool / "packs" / f".{pack}.idx.0123abcd.tmp",
        folder / f".{digest}.recipe.0123abcd.tmp",
    ]
    others = [folder / "notes.txt", folder / digest, pool / "packs" / "notes.txt", folder / f".{digest}.0123abcd.tmp"]
    for path in left + others:
        path.write_bytes(b"x")
    (pool / "packs" / f"{'a' * 64}.pack").mkdir()
    age(pool)

    collect(pool, [])

    assert [path for path in left if path.exists()] == []
    assert [path for path in others if not path.exists()] == []
    assert (pool / "packs" / f"{'a' * 64}.pack").is_dir()


def test_a_pack_of_which_much_is_dead_is_written_anew(pool: Path, pack: Digest):
    blobs = {add_blob(pool, pack, numbers): numbers for numbers in ([0, 1], [1], [4, 1, 4], [4, 0])}
    gone = add_blob(pool, pack, [2, 3])
    age(pool)
    before = disk_bytes([pool])

    collected = collect(pool, list(blobs))

    assert (collected.blobs, collected.packs, collected.repacked, collected.problems) == (1, 0, 1, ())
    assert collected.freed_bytes == before - disk_bytes([pool])
    assert collected.freed_bytes >= 20 * KB
    (new,) = pack_files(pool)
    assert new.read_bytes() == CHUNKS[0] + CHUNKS[1] + CHUNKS[4]
    assert new.stem == digest_of(new.read_bytes()) != pack
    assert [chunk.length for chunk in read_index(pool, digest_of(new.read_bytes())).chunks] == [
        8 * KB,
        12 * KB,
        20 * KB,
    ]
    assert not ChunkStore(pool).has(gone)
    for digest, numbers in blobs.items():
        assert read(pool, digest) == b"".join(CHUNKS[number] for number in numbers)


@pytest.mark.parametrize(("dead", "is_written_anew"), [(1, False), (2, True)])
def test_a_pack_of_which_at_most_a_quarter_is_dead_stays(pool: Path, pack: Digest, dead: int, is_written_anew: bool):
    """12 of 60 KB, and 16."""
    digest = add_blob(pool, pack, [number for number in range(5) if number != dead])
    age(pool)

    collected = collect(pool, [digest])

    assert collected.repacked == is_written_anew
    assert ([path.stem for path in pack_files(pool)] != [pack]) == is_written_anew


def test_a_young_pack_of_which_much_is_dead_waits(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, [0])
    age(pool)

    collected = collect(pool, [digest], at=WRITTEN)

    assert collected == Collected(waiting_bytes=52 * KB)
    assert [path.stem for path in pack_files(pool)] == [pack]


def test_a_pack_written_anew_keeps_what_else_the_recipes_say(pool: Path, pack: Digest):
    other = write_pack(pool, [b"other"])
    content = CHUNKS[4] + b"other" + CHUNKS[0]
    digest = write_recipe_by_hand(
        pool, content, [pack, other], [[0, 40 * KB, 20 * KB], [1, 0, 5], [0, 0, 8 * KB]], {"made_by": "a later one"}
    )
    age(pool)

    collect(pool, [digest])

    recipe = json.loads(recipe_path(pool, digest).read_bytes())
    (new,) = {path.stem for path in pack_files(pool)} - {other}
    assert recipe["made_by"] == "a later one"
    assert recipe["packs"] == [new, other]
    assert recipe["extents"] == [[0, 8 * KB, 20 * KB], [1, 0, 5], [0, 0, 8 * KB]]
    assert read(pool, digest) == content


def test_two_packs_of_which_the_same_lives_become_one(pool: Path):
    shared = random_content(8 * KB)
    packs = [write_pack(pool, [random_content(9 * KB, seed=seed), shared]) for seed in (2, 3)]
    digest = write_recipe_by_hand(pool, shared * 2, packs, [[0, 9 * KB, 8 * KB], [1, 9 * KB, 8 * KB]])
    age(pool)

    collect(pool, [digest])

    assert [path.read_bytes() for path in pack_files(pool)] == [shared]
    assert read(pool, digest) == shared * 2


def test_a_dry_run_says_what_would_be_freed_and_changes_nothing(pool: Path, pack: Digest):
    named, other = add_blob(pool, pack, [0, 1]), write_pack(pool, [b"x" * 9000])
    add_blob(pool, pack, range(5))
    age(pool)
    before = state(pool)

    told = collect(pool, [named], dry_run=True)

    assert state(pool) == before
    done = collect(pool, [named])
    assert told.freed_bytes == pytest.approx(done.freed_bytes, abs=8 * KB)
    assert (told.blobs, told.packs) == (done.blobs, done.packs) == (1, 1)
    assert not (pool / "packs" / f"{other}.pack").exists()


@pytest.mark.parametrize("harm", ["not JSON", "newer format", "a link", "its folder is a link"])
def test_while_a_recipe_that_is_needed_cannot_be_read_no_pack_goes(pool: Path, tmp_path: Path, pack: Digest, harm: str):
    digest, unwanted = add_blob(pool, pack, range(5)), write_pack(pool, [b"x"])
    path = recipe_path(pool, digest)
    if harm == "not JSON":
        path.write_bytes(b"{")
    elif harm == "newer format":
        path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": 2}))
    elif harm == "a link":
        path.rename(tmp_path / "recipe")
        path.symlink_to(tmp_path / "recipe")
    else:
        path.parent.rename(tmp_path / "folder")
        path.parent.symlink_to(tmp_path / "folder")
    age(pool)

    collected = collect(pool, [digest])

    assert len(collected.problems) == 1
    assert str(path.parent) in collected.problems[0]
    assert {path.stem for path in pack_files(pool)} == {pack, unwanted}


def test_a_recipe_that_cannot_be_read_and_is_not_needed_goes(pool: Path, pack: Digest):
    digest = add_blob(pool, pack, range(5))
    recipe_path(pool, digest).write_bytes(b"{")
    age(pool)

    collected = collect(pool, [])

    assert (collected.blobs, collected.packs, collected.problems) == (1, 1, ())


@pytest.mark.parametrize("harm", ["a live chunk", "the index", "no index", "an index of other cuts", "cut short"])
def test_a_damaged_pack_is_not_written_anew_but_named(pool: Path, pack: Digest, harm: str):
    digest = add_blob(pool, pack, [0, 2])
    path = pool / "packs" / f"{pack}.pack"
    index = path.with_suffix(".idx")
    if harm == "a live chunk":
        path.write_bytes(path.read_bytes()[: 20 * KB] + b"???" + path.read_bytes()[20 * KB + 3 :])
    elif harm == "the index":
        index.write_bytes(index.read_bytes()[:-1])
    elif harm == "no index":
        index.unlink()
    elif harm == "an index of other cuts":
        other = write_pack(pool, [path.read_bytes()[: 7 * KB], path.read_bytes()[7 * KB :]])
        assert other == pack
    else:
        os.truncate(path, 59 * KB)
    age(pool)
    before = {path.name: path.read_bytes() for path in (pool / "packs").iterdir()}

    collected = collect(pool, [digest])

    if harm == "cut short":  # in its dead part, so that nothing is lost by writing the rest anew
        assert collected.problems == ()
        assert read(pool, digest) == CHUNKS[0] + CHUNKS[2]
    else:
        assert len(collected.problems) == 1
        assert pack in collected.problems[0]
        assert {path.name: path.read_bytes() for path in (pool / "packs").iterdir()} == before


def test_parts_of_chunks_that_a_recipe_names_stay_readable(pool: Path, pack: Digest):
    """Recipes of ours name whole chunks."""
    whole = add_blob(pool, pack, [1])
    part = write_recipe_by_hand(pool, CHUNKS[1][100:5000], [pack], [[0, 8 * KB + 100, 4900]])
    age(pool)

    collected = collect(pool, [whole, part])

    assert collected.repacked == 1
    assert read(pool, part) == CHUNKS[1][100:5000]


def test_a_collection_waits_for_a_compaction_and_gives_up(pool: Path):
    with file_lock(pool / "chunks.lock", timeout_s=0), pytest.raises(Conflict, match="try again"):
        ChunkStore(pool, lock_timeout_s=0.05).collect(lambda blobs: blobs, at=NOW)


def test_without_locks_collecting_is_refused(pool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runicorn.storage.file_lock._try_lock", lambda descriptor: None)

    with pytest.raises(StorageDamaged, match="no locks"):
        collect(pool, [])


def test_a_pool_without_packs_or_none_at_all_has_nothing_to_collect(pool: Path, tmp_path: Path):
    assert collect(pool, []) == Collected()
    assert collect(tmp_path / "none", []) == Collected()
    assert not (tmp_path / "none").exists()


def test_readers_read_on_while_packs_are_written_anew(pool: Path):
    """Each round leaves half of what lived, so that every pack is written anew again and again."""
    chunks = [random_content(4 * KB, seed=seed) for seed in range(64)]
    pack = write_pack(pool, chunks)
    content = b"".join(chunks[:2])
    digest = write_recipe_by_hand(pool, content, [pack], [[0, 0, 8 * KB]])
    rounds = [
        write_recipe_by_hand(pool, b"".join(chunks[: 2**power]), [pack], [[0, 0, 2**power * 4 * KB]])
        for power in range(2, 7)
    ]
    wrong: list[object] = []
    done = threading.Event()

    def read_on() -> None:
        while not done.is_set():
            try:
                if read(pool, digest) != content:
                    wrong.append("other bytes")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test looks for
                wrong.append(error)

    threads = [threading.Thread(target=read_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    for power in range(5, 0, -1):
        age(pool)
        collected = collect(pool, [digest, *rounds[: power - 1]])
        assert collected.repacked == 1
    done.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert pack_files(pool)[0].read_bytes() == content
