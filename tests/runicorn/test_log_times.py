from __future__ import annotations

import json
import random
from bisect import bisect_right
from pathlib import Path

import pytest

from runicorn.errors import OutsideRoot
from runicorn.storage.log_times import offset_at

NAME = "logs.index.jsonl"


def write(run_dir: Path, entries: list[tuple[float, int]]) -> None:
    (run_dir / NAME).write_text("".join(json.dumps({"ts": ts, "offset": offset}) + "\n" for ts, offset in entries))


def test_the_entry_before_a_time_is_found_wherever_it_is(tmp_path: Path):
    at = 1.7e9
    entries = [(at := at + random.Random(number).choice([1, 1.5, 60, 4000]), number * 97) for number in range(1500)]
    write(tmp_path, entries)
    times = [ts for ts, _ in entries]

    for wanted in [*times, *(ts + 0.25 for ts in times)]:
        assert offset_at(tmp_path, wanted) == entries[bisect_right(times, wanted) - 1][1]
    assert offset_at(tmp_path, times[0] - 1) == 0


def test_what_is_damaged_is_passed_over(tmp_path: Path):
    good = '{"ts": %d, "offset": %d}\n'
    junk = [
        '{"ts": 1',
        "null\n",
        '{"ts": "x", "offset": 1}\n',
        '{"ts": 5, "offset": -1}\n',
        "\x00" * 5000 + "\n",
        "[]\n",
    ]
    junk += ['{"ts": NaN, "offset": 1}\n']
    text = "".join(good % (10 * number, number) + junk[number % len(junk)] for number in range(1, 60))
    (tmp_path / NAME).write_text(text)

    assert offset_at(tmp_path, 305.0) in (29, 30)
    assert offset_at(tmp_path, 1e9) is not None


def test_a_run_without_an_index_has_no_times(tmp_path: Path):
    assert offset_at(tmp_path, 5.0) is None
    (tmp_path / NAME).write_text("nothing here\n" * 10)
    assert offset_at(tmp_path, 5.0) is None
    (tmp_path / NAME).write_text("")
    assert offset_at(tmp_path, 5.0) is None


def test_a_link_out_of_the_run_is_not_followed(tmp_path: Path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (tmp_path / "secret").write_text('{"ts": 1, "offset": 1}\n')
    (run_dir / NAME).symlink_to(tmp_path / "secret")

    with pytest.raises(OutsideRoot):
        offset_at(run_dir, 5.0)
