"""Which line begins where: counted piece by piece, and anew when the file is another one."""

from __future__ import annotations

import random
from pathlib import Path

from experiments.logs.lines import BLOCK_BYTES, LineIndex


def written(path: Path, count: int, *, seed: int = 1) -> list[int]:
    """Write lines of many lengths, blank ones among them; where each begins."""
    lengths = random.Random(seed)
    starts, text = [], bytearray()
    for number in range(count):
        starts.append(len(text))
        text += b"%d %s\n" % (number, b"x" * lengths.choice([0, 1, 40, 400, 4000]))
    path.write_bytes(text)
    return starts


def test_numbers_and_offsets_agree_with_a_plain_count(tmp_path: Path):
    starts = written(tmp_path / "log", 3000)
    size = (tmp_path / "log").stat().st_size
    index = LineIndex()
    with (tmp_path / "log").open("rb") as file:
        assert index.count_on(file, size)
        assert size > 3 * BLOCK_BYTES

        assert [index.number_at(file, start) for start in starts] == list(range(1, 3001))
        assert [index.number_at(file, start + 1) for start in starts] == list(range(1, 3001))
        assert [index.offset_of(file, number) for number in range(1, 3001)] == starts
        assert index.offset_of(file, 10**9) == starts[-1]
        assert index.offset_of(file, 0) == 0


def test_what_is_not_counted_yet_is_not_guessed(tmp_path: Path):
    starts = written(tmp_path / "log", 3000)
    size = (tmp_path / "log").stat().st_size
    index = LineIndex()
    with (tmp_path / "log").open("rb") as file:
        assert not index.count_on(file, size, at_most=BLOCK_BYTES)

        assert index.number_at(file, starts[-1]) is None
        assert index.offset_of(file, 3000) is None
        assert index.offset_of(file, 2) == starts[1]
        while not index.count_on(file, size, at_most=BLOCK_BYTES):
            pass
        assert index.number_at(file, starts[-1]) == 3000


def test_a_log_that_grows_is_counted_on_and_one_written_anew_from_its_beginning(tmp_path: Path):
    path = tmp_path / "log"
    written(path, 2000)
    index = LineIndex()
    with path.open("rb") as file:
        index.count_on(file, path.stat().st_size)
    with path.open("ab") as log:
        log.write(b"tail\n" * BLOCK_BYTES)
    with path.open("rb") as file:
        index.count_on(file, path.stat().st_size)
        assert index.number_at(file, path.stat().st_size - 1) == 2000 + BLOCK_BYTES

    starts = written(path, 4000, seed=2)
    with path.open("rb") as file:
        index.count_on(file, path.stat().st_size)
        assert index.number_at(file, starts[-1]) == 4000


def test_a_line_that_begins_with_a_block_is_found(tmp_path: Path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * (BLOCK_BYTES - 1) + b"\n")
    index = LineIndex()
    with path.open("rb") as file:
        index.count_on(file, BLOCK_BYTES)
        assert index.offset_of(file, 2) == 0  # there is no second line
    with path.open("ab") as log:
        log.write(b"next\n")
    with path.open("rb") as file:
        assert index.offset_of(file, 2) == BLOCK_BYTES
        assert index.number_at(file, BLOCK_BYTES) == 2


def test_an_empty_log_has_a_first_line(tmp_path: Path):
    (tmp_path / "log").touch()
    with (tmp_path / "log").open("rb") as file:
        index = LineIndex()
        assert index.count_on(file, 0)
        assert (index.number_at(file, 0), index.offset_of(file, 7)) == (1, 0)
