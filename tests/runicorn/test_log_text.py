from __future__ import annotations

import os
from pathlib import Path

import pytest

from runicorn.errors import OutsideRoot, StorageDamaged
from runicorn.storage import log_text
from runicorn.storage.log_text import CHUNK_BYTES, TORN_LINE_S, Chunk, LogState, last_lines, read_between, read_on

NAME = "logs.txt"


class Reader:
    """Reads on in one file and keeps what it was given."""

    def __init__(self, run_dir: Path, state: LogState | None = None) -> None:
        self.run_dir, self.state, self.clock = run_dir, state or LogState(), 0.0

    def look(self) -> list[str] | None:
        self.state, chunk = read_on(self.run_dir, NAME, self.state, clock=self.clock)
        return None if chunk is None else chunk.lines

    def all(self) -> list[str]:
        lines: list[str] = []
        while (more := self.look()) is not None:
            lines += more
        return lines


def append(run_dir: Path, data: bytes) -> None:
    with (run_dir / NAME).open("ab") as file:
        file.write(data)


def test_what_is_appended_is_given_once_and_in_order(tmp_path: Path):
    reader = Reader(tmp_path)

    seen = []
    for data in (b"one\ntwo\n", b"", b"three\n"):
        append(tmp_path, data)
        seen.append(reader.look())

    assert seen == [["one", "two"], None, ["three"]]


def test_a_torn_line_waits_for_its_end(tmp_path: Path):
    reader = Reader(tmp_path)
    append(tmp_path, b"one\ntw")

    first = reader.look()
    waiting = reader.look()
    append(tmp_path, b"o\n")

    assert (first, waiting, reader.look()) == (["one"], None, ["two"])


def test_a_line_that_stays_torn_is_given_after_a_while_and_its_rest_apart(tmp_path: Path):
    reader = Reader(tmp_path)
    append(tmp_path, b"progress 50%")
    assert reader.look() is None
    reader.clock = TORN_LINE_S - 0.1
    early = reader.look()
    reader.clock = TORN_LINE_S

    late = reader.look()
    append(tmp_path, b"\nnext\n")

    assert (early, late, reader.look()) == (None, ["progress 50%"], ["next"])


def test_a_torn_line_that_grows_waits_again(tmp_path: Path):
    reader = Reader(tmp_path)
    append(tmp_path, b"a")
    reader.look()
    reader.clock = TORN_LINE_S
    append(tmp_path, b"b")

    assert reader.look() is None
    reader.clock = 2 * TORN_LINE_S
    assert reader.look() == ["ab"]


@pytest.mark.parametrize("replaced_by", [b"new\n", b"a longer text than before, written anew\n" * 3])
def test_a_file_written_anew_begins_again(tmp_path: Path, replaced_by: bytes):
    reader = Reader(tmp_path)
    append(tmp_path, b"the first text\n")
    reader.all()

    (tmp_path / NAME).write_bytes(replaced_by)
    lines = reader.all()

    assert lines == replaced_by.decode().splitlines()
    assert reader.state.generation == 1


def test_a_file_replaced_by_another_of_the_same_beginning_begins_again(tmp_path: Path):
    reader = Reader(tmp_path)
    append(tmp_path, b"same\n")
    reader.all()

    (tmp_path / "other").write_bytes(b"same\nmore\n")
    os.replace(tmp_path / "other", tmp_path / NAME)

    assert reader.all() == ["same", "more"]


def test_blank_lines_windows_line_ends_and_bad_bytes(tmp_path: Path):
    append(tmp_path, b"one\r\n\n  \n\xff\xfe two\nthree\x00\n\xe5\xae\x9e\n")

    assert Reader(tmp_path).all() == ["one", "\ufffd\ufffd two", "three\x00", "实"]


def test_a_line_longer_than_a_chunk_comes_in_pieces_of_whole_characters(tmp_path: Path):
    text = "ä" * CHUNK_BYTES + "€" * CHUNK_BYTES
    append(tmp_path, b"x" + text.encode() + b"\nend\n")

    lines = Reader(tmp_path).all()

    assert "".join(lines) == "x" + text + "end"
    assert all(len(line.encode()) <= CHUNK_BYTES for line in lines)


def test_a_reader_that_starts_at_the_end_sees_only_new_lines(tmp_path: Path):
    append(tmp_path, b"old\nto")
    reader = Reader(tmp_path, log_text.state_at_end(tmp_path, NAME))

    append(tmp_path, b"rn\nnew\n")

    assert reader.all() == ["torn", "new"]


def test_the_last_lines_are_found_however_long_the_file_is(tmp_path: Path):
    append(tmp_path, b"".join(b"line %d %s\n" % (n, b"x" * 60) for n in range(20_000)))
    size = (tmp_path / NAME).stat().st_size

    chunk, is_cut = last_lines(tmp_path, NAME, end=size, count=10_000)
    before, _ = last_lines(tmp_path, NAME, end=chunk.start, count=5)
    everything, all_cut = last_lines(tmp_path, NAME, end=size, count=30_000)

    assert (len(chunk.lines), is_cut) == (10_000, True)
    assert chunk.lines[0].startswith("line 10000 ")
    assert [line.split()[1] for line in before.lines] == ["9995", "9996", "9997", "9998", "9999"]
    assert (len(everything.lines), all_cut, everything.start) == (20_000, False, 0)


def test_exactly_as_many_lines_as_asked_for_is_not_cut(tmp_path: Path):
    append(tmp_path, b"\none\n\ntwo\n")
    size = (tmp_path / NAME).stat().st_size

    assert last_lines(tmp_path, NAME, end=size, count=2)[0].lines == ["one", "two"]
    assert last_lines(tmp_path, NAME, end=size, count=2)[1] is False
    assert last_lines(tmp_path, NAME, end=size, count=1) == (Chunk(6, size, ["two"]), True)
    assert last_lines(tmp_path, NAME, end=0, count=5) == (Chunk(0, 0, []), False)


def test_reading_between_gives_whole_lines_and_notices_another_file(tmp_path: Path):
    append(tmp_path, b"one\ntwo\nthree\n")
    state = log_text.state_at_end(tmp_path, NAME)

    assert read_between(tmp_path, NAME, state.identity, start=4, end=14) == Chunk(4, 14, ["two", "three"])
    assert read_between(tmp_path, NAME, state.identity, start=4, end=10) == Chunk(4, 10, ["two", "th"])
    assert read_between(tmp_path, NAME, (0, 1), start=4, end=14) is None


def test_only_regular_files_inside_the_run_are_read(tmp_path: Path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (tmp_path / "secret").write_text("secret\n")
    (run_dir / NAME).symlink_to(tmp_path / "secret")
    with pytest.raises(OutsideRoot):
        read_on(run_dir, NAME, LogState(), clock=0)
    (run_dir / NAME).unlink()
    os.mkfifo(run_dir / NAME)

    with pytest.raises(StorageDamaged):
        read_on(run_dir, NAME, LogState(), clock=0)


def test_log_files_are_those_of_the_format_with_the_first_writers_first(tmp_path: Path):
    for name in ("logs.gpu2-77.txt", "logs.txt", "logs.index.jsonl", "notlogs.txt", "logs.txt.lock", "logs.a-1.txt"):
        (tmp_path / name).touch()

    assert log_text.log_files(tmp_path) == ["logs.txt", "logs.a-1.txt", "logs.gpu2-77.txt"]
    assert log_text.log_files(tmp_path / "nowhere") == []
