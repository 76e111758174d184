"""Run directories as their writers leave them, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RUN_ID = "20250114_153045_a1b2c3"
#: When the runs of the tests were made, Unix seconds.
CREATED_AT = 1736868645.5


def write_run(
    root: Path,
    path: str = f"vision/vit/runs/{RUN_ID}",
    *,
    meta: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    records: Iterable[Mapping[str, Any]] = (),
    **documents: Mapping[str, Any],
) -> Path:
    """A run directory in the current layout. documents: by file name without ``.json``. Returns the directory."""
    run_dir = root / path
    run_dir.mkdir(parents=True)
    run_id = run_dir.name
    parts = Path(path).parts
    place = {"project": parts[0], "name": parts[1]} if len(parts) == 4 else {}
    meta = {"id": run_id, **place, "created_at": CREATED_AT, "hostname": "gpu1", "pid": 4411, **(meta or {})}
    write_json(run_dir / "meta.json", meta)
    write_json(run_dir / "status.json", {"status": "finished", "started_at": CREATED_AT, **(status or {})})
    for name, document in documents.items():
        write_json(run_dir / f"{name}.json", document)
    log_records(run_dir, records)
    return run_dir


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")


def log_records(run_dir: Path, records: Iterable[Mapping[str, Any]], *, file: str = "events.jsonl") -> None:
    """Append metric events. A record without ``time`` gets one second after the other from CREATED_AT."""
    with (run_dir / file).open("a", encoding="utf-8") as events:
        for index, record in enumerate(records):
            record = {"time": CREATED_AT + index, **record}
            events.write(json.dumps({"ts": record["time"], "type": "metrics", "data": record}) + "\n")
