"""`make bench` itself: that rows are measured, judged and written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benchmarks import roots
from benchmarks.__main__ import ROWS
from benchmarks.calibration import is_off
from benchmarks.measurement import Row, percentile
from benchmarks.setting import CHECKOUT
from runicorn.storage import layout


def test_rows_are_printed_and_written_with_the_calibration_beside_them(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "run_life", "--results", str(tmp_path)]

    printed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert printed.returncode == 0, printed.stderr
    (written,) = tmp_path.iterdir()
    rows = orjson.loads(written.read_bytes())
    assert [row["name"] for row in rows] == ["init() until it returns", "finish() until it returns"]
    for row in rows:
        assert row["value"] > 0
        assert row["calibration"].keys() == {"orjson_s", "empty_view_ms"}
        assert row["name"] in printed.stdout


def test_each_module_of_a_row_is_measured():
    modules = {file.stem for file in (CHECKOUT / "benchmarks" / "rows").glob("*.py")} - {"__init__"}

    assert modules == ROWS.keys()


@pytest.mark.parametrize(("value", "limit", "is_met"), [(5.0, 6.0, True), (7.0, 6.0, False), (7.0, None, True)])
def test_a_row_says_whether_its_limit_is_kept(value, limit, is_met):
    assert Row("name", value, "ms", limit).as_json()["is_met"] is is_met


@pytest.mark.parametrize(
    ("orjson_s", "empty_view_ms", "expected"),
    [(0.64, 1.2, False), (0.9, 1.7, False), (1.0, 1.2, True), (0.64, 2.0, True), (0.4, 1.2, True)],
)
def test_a_calibration_one_and_a_half_times_off_is_noise(orjson_s, empty_view_ms, expected):
    assert is_off({"orjson_s": orjson_s, "empty_view_ms": empty_view_ms}) is expected


def test_percentiles_are_samples_by_nearest_rank():
    assert [percentile([4, 1, 3, 2], percent) for percent in (25, 50, 95, 100)] == [1, 2, 4, 4]


def test_the_same_seed_makes_the_same_root_with_the_promised_contents(tmp_path):
    for name in ("one", "two"):
        roots.many_runs(tmp_path / name, run_count=40, seed=7)

    files = {name: _contents(tmp_path / name) for name in ("one", "two")}

    assert files["one"] == files["two"]
    runs = list((tmp_path / "one").glob("*/*/runs/*"))
    assert len({run.parents[2].name for run in runs}) == roots.PROJECTS
    assert len({run.parents[1].name for run in runs}) == roots.EXPERIMENTS
    for run in runs:
        events = [orjson.loads(line) for line in (run / layout.EVENTS).read_bytes().splitlines()]
        assert len(events) == 20
        assert all(len(event["data"]) == 2 + 10 for event in events)
        assert len(orjson.loads((run / layout.CONFIG).read_bytes())) == 20
        assert len(orjson.loads((run / layout.ENVIRONMENT).read_bytes())["pip_packages"]) == 300
        assert len((run / layout.LOGS).read_text().splitlines()) == 5


def _contents(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes().replace(root.name.encode(), b"root")
        for file in root.rglob("*")
        if file.is_file()
    }
