"""Searching a log: every line once, in pieces that meet, with expressions that cannot be made slow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from experiments.logs import search
from experiments.logs.search import Hit, log_pattern, search_log
from runicorn.errors import InvalidInput


def found(run_dir: Path, text: str, *, is_regex: bool = False, match_case: bool = False) -> list[Hit]:
    pattern = log_pattern(text, is_regex=is_regex, match_case=match_case)
    hits: list[Hit] = []
    start, size = 0, 1
    while start < size:
        part = search_log(run_dir, "logs.txt", pattern, start=start)
        hits += part.hits
        start, size = part.searched, part.size
    return hits


def write(run_dir: Path, *lines: str) -> None:
    (run_dir / "logs.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_lines_are_found_with_their_number_and_the_place_in_them(tmp_path: Path):
    write(tmp_path, "all well", "", "Error: disk full, ERROR again", "warning", "an error")

    hits = found(tmp_path, "error")

    assert [(hit.number, hit.before, hit.found) for hit in hits] == [(3, "", "Error"), (5, "an ", "error")]
    assert hits[0].behind == ": disk full, ERROR again"
    assert [hit.number for hit in found(tmp_path, "ERROR", match_case=True)] == [3]


@pytest.mark.parametrize(
    ("text", "is_regex", "numbers"),
    [
        ("损失", False, [2]),
        ("ÉPOQUE", False, [3]),
        ("a.c", False, [4]),
        ("a.c", True, [4, 5]),
        (r"^ab", True, [5]),
        (r"c$", True, [4, 5]),
        (r"loss=\d+\.\d+", True, [1]),
        (r"well\nnext", True, []),
    ],
)
def test_texts_are_taken_as_they_are_and_expressions_line_by_line(
    tmp_path: Path, text: str, is_regex: bool, numbers: list[int]
):
    write(tmp_path, "loss=0.25", "训练损失为零", "époque", "xa.c", "abc", "well", "next")

    assert [hit.number for hit in found(tmp_path, text, is_regex=is_regex)] == numbers


def test_no_line_is_missed_or_repeated_where_pieces_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_READ_BYTES", 64)
    monkeypatch.setattr(search, "SEARCH_BYTES", 200)
    monkeypatch.setattr(search, "MAX_HITS", 3)
    lines = [f"{'needle' if number % 3 == 0 else 'hay'} {'x' * (number % 50)} {number}" for number in range(1, 200)]
    write(tmp_path, *lines)

    assert [hit.number for hit in found(tmp_path, "needle")] == list(range(3, 200, 3))


def test_one_question_looks_through_several_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_READ_BYTES", 64)
    write(tmp_path, *(f"needle {number}" for number in range(100)))

    part = search_log(tmp_path, "logs.txt", log_pattern("needle", is_regex=False), start=0)

    assert len(part.hits) == 100
    assert part.searched == part.size


def test_of_a_long_line_the_surroundings_are_given(tmp_path: Path):
    write(tmp_path, "a" * 10_000 + "needle" + "b" * 10_000)

    (hit,) = found(tmp_path, "needle")

    assert (hit.found, len(hit.before) < 100, len(hit.behind) < 300) == ("needle", True, True)


def test_bytes_that_are_no_text_are_searched_around(tmp_path: Path):
    (tmp_path / "logs.txt").write_bytes(b"\xff\xfe needle \x00\xff\n")

    assert found(tmp_path, "needle")[0].before == "\ufffd\ufffd "


def test_an_expression_made_to_be_slow_is_not(tmp_path: Path):
    write(tmp_path, "a" * 100_000)

    started = time.monotonic()
    assert found(tmp_path, r"(a+)+$b", is_regex=True) == []

    assert time.monotonic() - started < 5  # an engine that tries every way would need years


@pytest.mark.parametrize("text", ["", "(", "[a", r"(?P<x", "x" * 1001, "(" * 900, "a{1000}{1000}"])
def test_what_is_no_expression_is_said(text: str):
    with pytest.raises(InvalidInput):
        log_pattern(text, is_regex=True)


def test_an_expression_that_is_found_everywhere_gives_each_line_once(tmp_path: Path):
    write(tmp_path, "one", "", "three")

    assert [hit.number for hit in found(tmp_path, "x*", is_regex=True)] == [1, 2, 3]
