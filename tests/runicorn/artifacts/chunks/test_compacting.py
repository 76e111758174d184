"""Plain files become chunks that versions share, and give back the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("pyfastcdc")

from runicorn.artifacts.chunks import ChunkStore, compaction, known, pack_writer
from runicorn.artifacts.chunks.chunker import cut
from runicorn.artifacts.chunks.pack_index import Chunk, PackIndex, encode_index
from runicorn.errors import Conflict, InvalidInput, StorageDamaged
from runicorn.storage.digests import digest_of
from runicorn.storage.disk_usage import disk_bytes
from runicorn.storage.file_lock import file_lock
from tests.chunk_stores import (
    KB,
    MB,
    changed,
    checkpoints,
    compact,
    pack_files,
    put,
    random_content,
    read,
    recipe_path,
)


@pytest.mark.parametrize("size", [0, 1, 4 * KB, 64 * KB, 64 * KB + 1, 3 * MB + 7])
def test_a_blob_is_the_same_before_and_after(pool: Path, size: int):
    content = random_content(size)

    (blob,) = compact(pool, [content])

    assert (blob.size_bytes, blob.new_bytes) == (size, size)
    assert ChunkStore(pool).has(blob.digest)
    assert read(pool, blob.digest) == content
    ChunkStore(pool).check(blob.digest, size=size)


def test_the_plain_file_is_left_to_the_caller(pool: Path):
    digest, path = put(pool, random_content(MB))

    with ChunkStore(pool).compacting() as compactor:
        compactor.compact(digest, path)

    assert digest_of(path.read_bytes()) == digest


def test_ten_checkpoints_of_which_a_fifth_changes_take_a_third_of_the_space(pool: Path):
    contents = list(checkpoints(10, 6 * MB, ranges=8))

    compact(pool, contents)

    assert disk_bytes([pool]) < 0.34 * sum(map(len, contents))
    for content in contents:
        assert read(pool, digest_of(content)) == content


def test_ten_identical_checkpoints_take_the_space_of_one(pool: Path):
    content = random_content(6 * MB)

    blobs = compact(pool, [content] * 10)

    assert [blob.new_bytes for blob in blobs] == [len(content)] + [0] * 9
    assert disk_bytes([pool]) < 1.02 * len(content)


def test_bytes_that_moved_are_found(pool: Path):
    content = random_content(4 * MB)
    (first,) = compact(pool, [content])

    (second,) = compact(pool, [b"a longer header" + content[:MB] + content[MB + 5 :]], against=[first.digest])

    assert second.new_bytes < 200 * KB


def test_blobs_of_another_artifact_are_not_shared_with(pool: Path):
    compact(pool, [random_content(MB)])

    (other,) = compact(pool, [random_content(MB) + b"x"])

    assert other.new_bytes == other.size_bytes


def test_the_same_bytes_inside_one_blob_are_stored_once(pool: Path):
    content = random_content(MB)

    (blob,) = compact(pool, [content * 5 + bytes(10 * MB)])

    assert blob.new_bytes < 1.5 * MB
    assert read(pool, blob.digest) == content * 5 + bytes(10 * MB)


def test_a_blob_larger_than_a_pack_gets_several(pool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_writer, "MAX_BYTES", 300 * KB)
    content = random_content(MB)

    (blob,) = compact(pool, [content])

    assert len(pack_files(pool)) == 4
    assert all(path.stat().st_size <= 300 * KB for path in pack_files(pool))
    assert read(pool, blob.digest) == content
    (again,) = compact(pool, [content + b"x"], against=[blob.digest])
    assert again.new_bytes < 100 * KB


def test_a_recipe_that_grows_too_long_stops_sharing(pool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compaction, "_MAX_SHARED_EXTENTS", 5)
    content = random_content(4 * MB)
    (first,) = compact(pool, [content])
    other = changed(content, ranges=20)

    (second,) = compact(pool, [other], against=[first.digest])

    assert len(json.loads(recipe_path(pool, second.digest).read_bytes())["extents"]) <= 6
    assert read(pool, second.digest) == other


def test_more_chunks_than_are_remembered_cost_space_and_nothing_else(pool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known, "_MAX_CHUNKS", 40)
    content = random_content(4 * MB)
    (first,) = compact(pool, [content])

    (second,) = compact(pool, [content[:-5]], against=[first.digest])

    assert 0.5 * MB < second.new_bytes <= len(content)
    assert read(pool, second.digest) == content[:-5]


def test_the_estimate_says_what_compacting_then_stores(pool: Path):
    (first,) = compact(pool, [random_content(2 * MB)])
    contents = [changed(random_content(2 * MB), ranges=3, seed=seed) for seed in (1, 2)] + [random_content(2 * MB)]
    files = [put(pool, content) for content in contents]
    before = sorted(path for path in pool.rglob("*"))

    estimator = ChunkStore(pool).estimating([first.digest])
    estimates = [estimator.estimate(digest, path) for digest, path in files]

    assert sorted(path for path in pool.rglob("*")) == before
    assert estimates == compact(pool, contents, against=[first.digest])
    assert estimates[2].new_bytes == 0


def test_a_plain_file_that_is_damaged_is_refused_and_leaves_nothing(pool: Path):
    content = random_content(MB)
    digest, path = put(pool, content)
    path.write_bytes(content[:-1] + b"?")

    with ChunkStore(pool).compacting() as compactor, pytest.raises(StorageDamaged, match=f"{digest} is not what was"):
        compactor.compact(digest, path)

    assert not ChunkStore(pool).has(digest)
    assert list((pool / "packs").iterdir()) == []


def test_a_refused_blob_leaves_no_trace_in_the_next(pool: Path):
    content = random_content(MB)
    digest, path = put(pool, content)
    path.write_bytes(content[:-1] + b"?")
    other = content + b"!"

    with ChunkStore(pool).compacting() as compactor:
        with pytest.raises(StorageDamaged):
            compactor.compact(digest, path)
        blob = compactor.compact(*put(pool, other))

    assert blob.new_bytes == len(other)
    assert read(pool, blob.digest) == other


def test_a_damaged_pack_is_named_and_what_would_share_with_it_stays_plain(pool: Path):
    content = random_content(2 * MB)
    (first,) = compact(pool, [content])
    (pack,) = pack_files(pool)
    damage(pack, at=MB)
    digest, path = put(pool, content + b"x")

    with (
        ChunkStore(pool).compacting([first.digest]) as compactor,
        pytest.raises(StorageDamaged, match=f"{pack} is damaged"),
    ):
        compactor.compact(digest, path)

    assert not ChunkStore(pool).has(digest)
    assert path.exists()


@pytest.mark.parametrize("harm", ["cut", "flip", "remove", "of another pack"])
def test_a_pack_whose_index_is_of_no_use_is_not_shared_with(pool: Path, harm: str):
    content = random_content(MB)
    (first,) = compact(pool, [content])
    index = pack_files(pool)[0].with_suffix(".idx")
    os.chmod(index, 0o644)
    if harm == "cut":
        index.write_bytes(index.read_bytes()[:-40])
    elif harm == "flip":
        damage(index, at=30)
    elif harm == "remove":
        index.unlink()
    else:
        index.write_bytes(encode_index(PackIndex([Chunk(bytes(32), KB)])))

    (second,) = compact(pool, [content + b"x"], against=[first.digest])

    assert second.new_bytes == second.size_bytes
    assert read(pool, first.digest) == content


def test_an_index_that_lies_never_gives_wrong_bytes(pool: Path):
    one, other = random_content(MB), random_content(MB, seed=2)
    first, _ = compact(pool, [one, other])
    pack = pack_files(pool)[0] if pack_files(pool)[0].read_bytes() == one else pack_files(pool)[1]
    (truth,) = [path for path in pack_files(pool) if path != pack]
    os.chmod(pack.with_suffix(".idx"), 0o644)
    pack.with_suffix(".idx").write_bytes(truth.with_suffix(".idx").read_bytes())
    digest, path = put(pool, other + b"x")

    with (
        ChunkStore(pool).compacting([first.digest]) as compactor,
        pytest.raises(StorageDamaged, match=f"{pack} is damaged"),
    ):
        compactor.compact(digest, path)

    assert not ChunkStore(pool).has(digest)


def damage(path: Path, *, at: int) -> None:
    os.chmod(path, 0o644)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_blob_that_is_compacted_already_is_verified_and_counts_as_young(pool: Path):
    content = random_content(MB)
    (first,) = compact(pool, [content])
    os.utime(recipe_path(pool, first.digest), (1, 1))

    (again,) = compact(pool, [content])

    assert again.new_bytes == 0
    assert recipe_path(pool, first.digest).stat().st_mtime > 1


@pytest.mark.parametrize("harm", ["recipe", "pack"])
def test_compacting_again_from_the_plain_bytes_repairs_a_damaged_blob(pool: Path, harm: str):
    content = random_content(MB)
    (blob,) = compact(pool, [content])
    damage(recipe_path(pool, blob.digest) if harm == "recipe" else pack_files(pool)[0], at=40)

    compact(pool, [content])

    ChunkStore(pool).check(blob.digest, size=MB)


def test_one_compaction_waits_for_another_and_gives_up(pool: Path):
    with (
        file_lock(pool / "chunks.lock", timeout_s=0),
        pytest.raises(Conflict, match="try again"),
        ChunkStore(pool, lock_timeout_s=0.05).compacting(),
    ):
        pass


def test_a_compaction_goes_on_when_the_lock_is_free(pool: Path):
    content = random_content(KB)
    put_, entered = put(pool, content), threading.Event()

    def compact_in_thread() -> None:
        entered.set()
        with ChunkStore(pool).compacting() as compactor:
            compactor.compact(*put_)

    with ChunkStore(pool).compacting():
        thread = threading.Thread(target=compact_in_thread)
        thread.start()
        entered.wait()
    thread.join()

    assert ChunkStore(pool).has(put_[0])


def test_without_locks_compacting_is_refused_and_reading_is_not(pool: Path, monkeypatch: pytest.MonkeyPatch):
    content = random_content(KB)
    (blob,) = compact(pool, [content])
    monkeypatch.setattr("runicorn.storage.file_lock._try_lock", lambda descriptor: None)

    with pytest.raises(StorageDamaged, match="no locks"), ChunkStore(pool).compacting():
        pass

    assert read(pool, blob.digest) == content


def test_a_full_disk_is_said_and_leaves_nothing(pool: Path):
    pytest.importorskip("resource")
    digest, path = put(pool, random_content(2 * MB))
    code = f"""
import resource, signal
from pathlib import Path
from runicorn.artifacts.chunks import ChunkStore
from runicorn.errors import StorageDamaged
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({MB}, {MB}))
with ChunkStore(Path({str(pool)!r})).compacting() as compactor:
    try:
        compactor.compact({digest!r}, Path({str(path)!r}))
    except StorageDamaged as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "File too large" in done.stdout
    assert not ChunkStore(pool).has(digest)
    assert list((pool / "packs").iterdir()) == []


def test_packs_and_indexes_are_read_only(pool: Path):
    compact(pool, [random_content(KB)])

    assert {path.stat().st_mode & 0o777 for path in (pool / "packs").iterdir()} == {0o444}


def test_a_link_in_place_of_the_packs_is_not_followed(pool: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (pool / "packs").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageDamaged, match="is not a folder"):
        compact(pool, [random_content(KB)])

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_pyfastcdc_compacting_says_what_to_install(pool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyfastcdc", None)

    with pytest.raises(InvalidInput, match="pip install pyfastcdc"):
        compact(pool, [random_content(KB)])


def test_the_cuts_are_those_of_the_format(pool: Path):
    """Other cuts would share nothing with what is stored already."""
    _, path = put(pool, random_content(200 * KB, seed=7))

    assert [len(chunk) for chunk in cut(path)] == [18016, 37151, 22473, 18158, 15292, 9031, 48540, 9714, 16806, 9619]
