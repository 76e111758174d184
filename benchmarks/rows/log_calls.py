"""log() of 5 metrics against the least that writing such a line costs, and whether it grows."""

from __future__ import annotations

import orjson

from benchmarks.measurement import Row
from benchmarks.setting import Setting, run_script

#: A median of a tenth of the calls moves by so much from noise alone.
GROWTH_LIMIT = 1.3


def measure(setting: Setting) -> list[Row]:
    root = setting.folder / "log-calls"
    root.mkdir()
    calls = (setting.size(100_000, 20_000), setting.size(1_000_000, 100_000))
    environment = setting.home("library").environment(root)
    found = orjson.loads(run_script("log_calls", str(root), *map(str, calls), environment=environment))
    detail = {"log_us": found["log_ns"] / 1000, "bare_us": found["bare_ns"] / 1000}
    tenths = found["tenths_ns"]
    return [
        Row("log() of 5 metrics, against a bare loop", found["log_ns"] / found["bare_ns"], "×", 3, detail),
        Row(
            f"log(), last against first tenth of {calls[1]:,} calls",
            tenths[-1] / tenths[0],
            "×",
            GROWTH_LIMIT,
            {"tenths_us": [tenth / 1000 for tenth in tenths]},
        ),
    ]
