"""Reading needs a recipe and packs and no library; what cannot be right is refused, naming the file."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from runicorn.artifacts.chunks import ChunkStore
from runicorn.errors import NotFound, StorageDamaged
from runicorn.storage.digests import Digest, digest_of
from tests.chunk_stores import KB, random_content, read, recipe_path, write_pack, write_recipe_by_hand

ONE, TWO = random_content(3 * KB), random_content(5 * KB, seed=2)
CONTENT = TWO[100:4000] + ONE + TWO[100:4000] + TWO[:1]
EXTENTS = [[1, 100, 3900], [0, 0, len(ONE)], [1, 100, 3900], [1, 0, 1]]


@pytest.fixture
def packs(pool: Path) -> list[Digest]:
    return [write_pack(pool, [ONE]), write_pack(pool, [TWO])]


@pytest.fixture
def digest(pool: Path, packs: list[Digest]) -> Digest:
    return write_recipe_by_hand(pool, CONTENT, packs, EXTENTS)


def pack_path(pool: Path, pack: str) -> Path:
    return pool / "packs" / f"{pack}.pack"


def test_a_recipe_puts_the_blob_together(pool: Path, digest: Digest):
    assert read(pool, digest) == CONTENT
    ChunkStore(pool).check(digest, size=len(CONTENT))


def test_a_part_is_read_from_where_it_lies(pool: Path, digest: Digest):
    with ChunkStore(pool).open(digest) as file:
        file.seek(3899)

        assert file.read(3 * KB + 2) == CONTENT[3899 : 3899 + 3 * KB + 2]


def test_a_read_of_any_size_ends_with_the_blob(pool: Path, digest: Digest):
    buffer = bytearray(len(CONTENT) + 50)

    with ChunkStore(pool).open(digest) as file:
        assert file.readinto(buffer) == len(CONTENT)
        assert file.read(1) == b""
        assert file.seek(0, io.SEEK_END) == len(CONTENT)


def test_a_place_before_the_beginning_is_refused_as_by_any_file(pool: Path, digest: Digest):
    with ChunkStore(pool).open(digest) as file, pytest.raises(ValueError, match="before the beginning"):
        file.seek(-1, io.SEEK_SET)


def test_a_blob_without_a_recipe_is_not_there(pool: Path, packs: list[Digest]):
    assert not ChunkStore(pool).has(packs[0])
    with pytest.raises(NotFound):
        ChunkStore(pool).open(packs[0])
    with pytest.raises(NotFound):
        ChunkStore(pool).check(packs[0], size=1)


def test_a_pool_that_does_not_exist_has_nothing(tmp_path: Path, packs: list[Digest]):
    assert not ChunkStore(tmp_path / "none").has(packs[0])


def test_a_blob_of_many_packs_keeps_few_files_open(pool: Path):
    chunks = [random_content(KB, seed=seed) for seed in range(40)]
    digest = write_recipe_by_hand(
        pool, b"".join(chunks), [write_pack(pool, [chunk]) for chunk in chunks], [[i, 0, KB] for i in range(40)]
    )
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None

    with ChunkStore(pool).open(digest) as file:
        assert file.read() == b"".join(chunks)
        if before is not None:
            assert len(os.listdir("/proc/self/fd")) <= before + 8

    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before


LIES: dict[str, dict[str, object]] = {
    "a negative offset": {"extents": [[1, -1, 3901], *EXTENTS[1:]]},
    "a negative length": {"extents": [*EXTENTS, [0, 0, -1]], "size": len(CONTENT) - 1},
    "an empty extent": {"extents": [*EXTENTS, [0, 0, 0]]},
    "a pack that is not in the list": {"extents": [[2, 100, 3900], *EXTENTS[1:]]},
    "a negative pack": {"extents": [[-1, 100, 3900], *EXTENTS[1:]]},
    "bytes beyond the pack": {"extents": [*EXTENTS[:3], [1, 5 * KB, 1]]},
    "a huge offset": {"extents": [*EXTENTS[:3], [1, 2**62, 1]]},
    "an offset that no file has": {"extents": [*EXTENTS[:3], [1, 2**64, 1]]},
    "a fraction": {"extents": [*EXTENTS[:3], [1, 0.0, 1]]},
    "a truth value": {"extents": [*EXTENTS[:3], [1, False, 1]]},
    "another size": {"size": len(CONTENT) + 1},
    "a size that is no number": {"size": "9"},
    "no extents": {"extents": None},
    "extents that are no lists": {"extents": ["abc"]},
    "extents of two": {"extents": [[1, 100]]},
    "more packs than extents": {"packs": ["0" * 63 + str(i) for i in range(9)]},
    "too many extents": {"extents": [[0, 0, 1]] * 200_001, "size": 200_001},
    "a name with slashes": {"packs": ["../" * 20 + "etc/passwd", "a" * 64]},
    "a name with a prefix": {"packs": [f"sha256:{digest_of(ONE)}", digest_of(TWO)]},
    "a name in capitals": {"packs": [digest_of(ONE).upper(), digest_of(TWO)]},
    "a pack that is not there": {"packs": ["a" * 64, digest_of(TWO)]},
    "a pack named twice": {"packs": [digest_of(TWO)] * 2},
    "the digest of another": {"digest": "a" * 64},
    "a newer format": {"format": 2},
    "no format": {"format": None},
    "a chunker that is none": {"chunker": 3},
    "nested lists": {"extents": json.loads("[" * 150 + "]" * 150)},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_recipe_that_cannot_be_right_is_damage_and_gives_no_byte(pool: Path, packs: list[Digest], lie: str):
    digest = write_recipe_by_hand(pool, CONTENT, packs, EXTENTS, LIES[lie])

    with pytest.raises(StorageDamaged, match=str(pool)):
        ChunkStore(pool).open(digest)
    with pytest.raises(StorageDamaged):
        ChunkStore(pool).check(digest, size=len(CONTENT))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"format":1}', b"[" * 100_000, b" " * 17_000_000])
def test_a_recipe_that_is_none_is_damage(pool: Path, digest: Digest, text: bytes):
    recipe_path(pool, digest).write_bytes(text)

    with pytest.raises(StorageDamaged, match=digest):
        ChunkStore(pool).open(digest)


def test_bytes_that_are_not_the_blob_are_found_by_checking(pool: Path, packs: list[Digest]):
    swapped = [EXTENTS[1], EXTENTS[0], *EXTENTS[2:]]
    digest = write_recipe_by_hand(pool, CONTENT, packs, swapped)

    with pytest.raises(StorageDamaged, match="whose SHA-256 is"):
        ChunkStore(pool).check(digest, size=len(CONTENT))


def test_a_recipe_of_another_size_than_the_manifest_is_not_followed(pool: Path, packs: list[Digest]):
    """It could name the same bytes as often as it likes."""
    many = 150_000 * len(ONE)
    digest = write_recipe_by_hand(pool, CONTENT, packs[:1], [[0, 0, len(ONE)]] * 150_000, {"size": many})

    with pytest.raises(StorageDamaged, match=f"is for {many} bytes"):
        ChunkStore(pool).check(digest, size=len(CONTENT))


@pytest.mark.parametrize("where", ["pack", "recipe", "packs", "folder"])
def test_a_link_out_of_the_pool_is_not_followed(pool: Path, tmp_path: Path, digest: Digest, packs: list, where: str):
    path = {
        "pack": pack_path(pool, packs[0]),
        "recipe": recipe_path(pool, digest),
        "packs": pool / "packs",
        "folder": recipe_path(pool, digest).parent,
    }[where]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageDamaged):
        ChunkStore(pool).open(digest)


def test_a_fifo_in_place_of_a_pack_is_not_waited_for(pool: Path, digest: Digest, packs: list[Digest]):
    pack_path(pool, packs[0]).unlink()
    os.mkfifo(pack_path(pool, packs[0]))

    with pytest.raises(StorageDamaged, match="not a regular file"):
        ChunkStore(pool).open(digest)


def test_a_pack_that_is_missing_is_named_before_the_first_byte(pool: Path, digest: Digest, packs: list[Digest]):
    pack_path(pool, packs[1]).unlink()

    with pytest.raises(StorageDamaged, match=f"{packs[1]}.pack is missing"):
        ChunkStore(pool).open(digest)


def test_a_pack_that_is_cut_while_it_is_read_is_damage_and_no_early_end(pool: Path, digest: Digest, packs: list):
    with ChunkStore(pool).open(digest) as file:
        os.truncate(pack_path(pool, packs[1]), 2000)

        with pytest.raises(StorageDamaged, match="cut short"):
            file.read()


def repack_by_hand(pool: Path, content: bytes, old: Sequence[str]) -> None:
    """Give the blob another recipe over one new pack, and remove the old packs, as gc does."""
    write_recipe_by_hand(pool, content, [write_pack(pool, [b"dead", content])], [[0, 4, len(content)]])
    for pack in old:
        pack_path(pool, pack).unlink()


def test_a_reader_whose_packs_are_written_anew_before_it_opens_them_reads_the_recipe_again(
    pool: Path, digest: Digest, packs: list[Digest], monkeypatch: pytest.MonkeyPatch
):
    from runicorn.artifacts.chunks import reader

    recipe = reader.read_recipe(pool, digest)
    repack_by_hand(pool, CONTENT, packs)
    recipes = [recipe, reader.read_recipe(pool, digest)]
    monkeypatch.setattr(reader, "read_recipe", lambda pool, digest: recipes.pop(0))

    assert read(pool, digest) == CONTENT
    assert recipes == []


def test_a_reader_goes_on_in_the_middle_when_its_packs_are_written_anew(pool: Path):
    chunks = [random_content(KB, seed=seed) for seed in range(40)]
    content, old = b"".join(chunks), [write_pack(pool, [chunk]) for chunk in chunks]
    digest = write_recipe_by_hand(pool, content, old, [[i, 0, KB] for i in range(40)])

    with ChunkStore(pool).open(digest).detach() as file:  # unbuffered: it asks as it goes
        first = file.read(3 * KB + 7)
        repack_by_hand(pool, content, old)

        assert first + file.read() == content


def test_several_readers_read_at_once(pool: Path, digest: Digest):
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(read(pool, digest))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [CONTENT] * 8
