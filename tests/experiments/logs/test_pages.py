"""Parts of a log: they meet, they begin and end with lines, and say which lines they are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from experiments.logs import lines as lines_module
from experiments.logs import pages
from experiments.logs.pages import log_at_end, open_log
from runicorn.errors import NotFound, StorageDamaged

LINES = [f"10:00:00 | line {number} é" for number in range(1, 101)]


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    (tmp_path / "logs.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return tmp_path


def test_pages_read_backwards_and_forwards_meet(run_dir: Path):
    with open_log(run_dir) as log:
        backwards = [log.last(7)]
        while backwards[0].start > 0:
            backwards.insert(0, log.before(backwards[0].start, 7))
        forwards = [log.after(0, 7)]
        while forwards[-1].end < log.size:
            forwards.append(log.after(forwards[-1].end, 7))

    assert [line for page in backwards for line in page.lines] == LINES
    assert [line for page in forwards for line in page.lines] == LINES
    assert [page.number for page in forwards] == list(range(1, 101, 7))


def test_a_line_by_its_number_stands_among_its_neighbours(run_dir: Path):
    with open_log(run_dir) as log:
        page = log.line(50, 20)
        first, beyond = log.line(1, 20), log.line(5000, 20)

    assert page.lines[page.target] == LINES[49]
    assert page.number + page.target == 50
    assert (len(page.lines), page.target) == (20, 5)
    assert first.lines[first.target] == LINES[0]
    assert beyond.lines[beyond.target] == LINES[-1]


@pytest.mark.parametrize("inside", [0, 5, 16])
def test_a_place_inside_a_line_is_that_line(run_dir: Path, inside: int):
    offset = len("\n".join(LINES[:30]).encode()) + 1 + inside
    with open_log(run_dir) as log:
        page = log.around(offset, 20)

    assert page.lines[page.target] == LINES[30]


def test_blank_lines_count(tmp_path: Path):
    (tmp_path / "logs.txt").write_bytes(b"one\n\n  \ntwo\n")
    with open_log(tmp_path) as log:
        assert log.line(4, 40).lines == ["one", "", "  ", "two"]
        assert log.before(log.size, 2).lines == ["  ", "two"]


def test_of_a_line_written_over_again_and_again_its_last_state_is_shown(tmp_path: Path):
    (tmp_path / "logs.txt").write_bytes(b"windows\r\n 0%|\r 50%|\r100%|##\r\n\r\n")
    with open_log(tmp_path) as log:
        assert log.last(9).lines == ["windows", "100%|##", ""]


def test_a_line_being_written_is_given_to_who_knows_the_file_to_end_in_it(tmp_path: Path):
    (tmp_path / "logs.txt").write_bytes(b"one\nhalf")
    with open_log(tmp_path) as log:
        assert log.after(0, 10).lines == ["one"]
        assert log.after(4, 10, until=8).lines == ["half"]
        assert log.after(4, 10, until=800).end == 8


def test_a_page_of_long_lines_ends_with_a_line_and_a_longer_one_comes_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "MAX_PAGE_BYTES", 1000)
    long = [f"{number} " + "x" * 400 for number in range(5)]
    (tmp_path / "logs.txt").write_text("\n".join([*long, "y" * 2500]) + "\n")
    with open_log(tmp_path) as log:
        forwards = [log.after(0, 100)]
        while forwards[-1].end < log.size:
            forwards.append(log.after(forwards[-1].end, 100))
        backwards = [log.last(100)]
        while backwards[-1].start > 0:
            backwards.append(log.before(backwards[-1].start, 100))

    assert [page.lines for page in forwards[:2]] == [long[:2], long[2:4]]
    assert "".join("".join(page.lines) for page in forwards) == "".join(long) + "y" * 2500
    assert "".join("".join(page.lines) for page in reversed(backwards)) == "".join(long) + "y" * 2500


def test_a_time_leads_to_its_lines(run_dir: Path):
    starts = [len("\n".join(LINES[:number]).encode()) + (1 if number else 0) for number in range(100)]
    entries = [{"ts": 1000.0 + number, "offset": starts[number]} for number in range(0, 100, 10)]
    (run_dir / "logs.index.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with open_log(run_dir) as log:
        for at, number in ((1030.0, 31), (1039.5, 31), (0.0, 1), (9e9, 91)):
            page = log.time(at, 12)
            assert page.number + page.target == number, at


def test_a_log_without_times_says_so(run_dir: Path):
    with open_log(run_dir) as log, pytest.raises(NotFound, match=r"logs\.index\.jsonl"):
        log.time(1.0, 10)


def test_while_lines_are_counted_the_page_asks_again(run_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 256)
    monkeypatch.setattr(lines_module.LineIndex.count_on, "__kwdefaults__", {"at_most": 512})
    counted = []
    for _ in range(20):
        with open_log(run_dir) as log:
            page = log.line(90, 10)
            counted.append(log.counted)
        if page is not None:
            break

    assert len(counted) > 2
    assert counted == sorted(set(counted))
    assert page.lines[page.target] == LINES[89]


def test_the_end_is_shown_without_counting(run_dir: Path):
    at_end = log_at_end(run_dir, "logs.txt", lines=5)

    assert at_end.page.lines == LINES[-5:]
    assert (at_end.files, at_end.has_times) == (["logs.txt"], False)


def test_a_run_without_a_log_has_an_empty_one_and_no_other(tmp_path: Path):
    assert log_at_end(tmp_path, "logs.txt", lines=5).page.lines == []
    with pytest.raises(NotFound):
        log_at_end(tmp_path, "logs.gpu-1.txt", lines=5)


def test_a_run_that_only_another_host_logged_shows_that_log(tmp_path: Path):
    (tmp_path / "logs.gpu2-77.txt").write_text("there\n")

    at_end = log_at_end(tmp_path, "logs.txt", lines=5)

    assert (at_end.name, at_end.page.lines) == ("logs.gpu2-77.txt", ["there"])


@pytest.mark.parametrize("name", ["status.json", "../logs.txt", "logs.txt/../status.json", "", "logs.a/../x.txt"])
def test_only_log_files_are_opened(run_dir: Path, name: str):
    (run_dir / "status.json").write_text("{}")
    with pytest.raises(NotFound), open_log(run_dir, name):
        pass


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "logs.txt")
    with pytest.raises(StorageDamaged), open_log(tmp_path):
        pass
