"""Logging artifacts and downloading them, against cp, SHA-256 and fsync, one after the other."""

from __future__ import annotations

from typing import Any

import orjson

from benchmarks.measurement import Row, median
from benchmarks.setting import Setting, run_script


def measure(setting: Setting) -> list[Row]:
    size_mib, count = setting.size(1024, 64), setting.size(10_000, 500)
    folder = setting.folder / "artifacts"
    folder.mkdir()
    arguments = (str(folder), str(size_mib), str(count), str(setting.size(3, 2)))
    environment = setting.home("library").environment(folder)
    figures: dict[str, Any] = orjson.loads(run_script("store_artifacts", *arguments, environment=environment))
    whole_only = None if setting.is_quick else 1.1  # a second version of 64 MiB is mostly its documents
    return [
        _row(f"first version of {size_mib} MiB, against cp + SHA-256 + fsync", figures["first"], 1.1),
        _row(f"second version of {size_mib} MiB, against SHA-256", figures["second"], whole_only),
        Row("new data bytes of the second version, documents included", figures["new_bytes"], "B", 64 * 1024),
        _row(f"folder of {count:,} files of 10 KB, against cp -r + SHA-256 + syncfs", figures["folder"], 2),
        _row(f"verified download of {size_mib} MiB, against cp + SHA-256 + fsync", figures["download"], 1.1),
        Row("memory of these over a bare interpreter", figures["peak_mib"], "MiB", 200),
    ]


def _row(name: str, pairs: list[tuple[float, float]], limit: float | None) -> Row:
    detail = {"s": [ours for ours, _ in pairs], "floor_s": [floor for _, floor in pairs]}
    return Row(name, median([ours / floor for ours, floor in pairs]), "×", limit, detail)
