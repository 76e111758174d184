"""`make bench`: measures each row of the table, prints it, and writes it as JSON into bench-results/.

Figures hold for an idle machine: each row comes with a calibration from right before and after it, and is marked noisy
when that is 1.5 times off.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import orjson

from benchmarks.calibration import EXPECTED, Calibration, is_off
from benchmarks.measurement import Row
from benchmarks.rows import (
    artifact_lists,
    artifact_storage,
    compaction,
    filters,
    first_index,
    followers,
    import_time,
    ingest,
    live_point,
    log_calls,
    log_lines,
    long_log,
    long_run,
    open_page,
    pages_in_browser,
    run_life,
    run_list,
    run_pages,
    stuck_readers,
    survival,
    tagging,
    under_load,
)
from benchmarks.setting import CHECKOUT, Setting

ROWS: dict[str, Callable[[Setting], list[Row]]] = {
    module.__name__.rpartition(".")[2]: module.measure
    for module in (
        import_time,
        run_life,
        log_calls,
        survival,
        first_index,
        run_list,
        run_pages,
        filters,
        pages_in_browser,
        long_log,
        open_page,
        under_load,
        tagging,
        ingest,
        long_run,
        live_point,
        log_lines,
        followers,
        stuck_readers,
        artifact_storage,
        artifact_lists,
        compaction,
    )
}
RESULTS = CHECKOUT / "bench-results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller roots and fewer repetitions: about two minutes")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help=f"some of: {', '.join(ROWS)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON (default: %(default)s)")
    options = parser.parse_args()
    names = options.only or list(ROWS)
    print(f"{'':62}{'measured':>16}{'at most':>12}   calibration {EXPECTED}")
    with tempfile.TemporaryDirectory(prefix="runicorn-bench-") as folder, Calibration() as calibration:
        setting = Setting(Path(folder), is_quick=options.quick)
        rows, failed = _measure(names, setting, calibration)
    _write(rows, options.results, is_quick=options.quick)
    for name in failed:
        print(f"FAILED {name}")
    return 1 if failed else 0


def _measure(names: list[str], setting: Setting, calibration: Calibration) -> tuple[list[Row], list[str]]:
    """All rows, printed as they come, and the names of modules that broke."""
    rows, failed = [], []
    after = calibration.measure()
    for name in names:
        before = after
        try:
            measured = ROWS[name](setting)
        except Exception:  # noqa: BLE001 - one broken row hides no other; main() fails in the end
            traceback.print_exc()
            failed.append(name)
            measured = []
        after = calibration.measure()
        for row in measured:
            row.calibration = {key: round((before[key] + after[key]) / 2, 3) for key in EXPECTED}
            row.is_noisy = is_off(before) or is_off(after)
            print(_as_text(row), flush=True)
        rows += measured
    return rows, failed


def _as_text(row: Row) -> str:
    limit = "" if row.limit is None else f"{row.limit:g} {row.unit}"
    verdict = " " if row.is_met else "!"
    noise = "  noisy" if row.is_noisy else ""
    detail = ", ".join(f"{key} {_short(value)}" for key, value in row.detail.items())
    calibration = "/".join(f"{value:g}" for value in row.calibration.values())
    return f"{row.name:<62}{row.value:>10.3g} {row.unit:<5}{limit:>12} {verdict} [{calibration}]{noise}  {detail}"


def _short(value: object) -> str:
    if isinstance(value, list):
        return "[" + " ".join(map(_short, value)) + "]"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _write(rows: list[Row], results: Path, *, is_quick: bool) -> None:
    results.mkdir(exist_ok=True)
    file = results / f"{time.strftime('%Y%m%d-%H%M%S')}{'-quick' if is_quick else ''}.json"
    file.write_bytes(orjson.dumps([row.as_json() for row in rows], option=orjson.OPT_INDENT_2))
    print(f"\nwritten to {file}; ! marks what is over its limit")


if __name__ == "__main__":
    sys.exit(main())
