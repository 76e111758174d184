"""events.jsonl: how an event becomes a line, and what a resumed run reads back from the lines.

The format is described in docs/design/0002-run-directories.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runicorn.storage import json_text, layout
from runicorn.storage.paths import open_regular
from runicorn.storage.plain import NotPlain, plain, plain_key

METRICS = "metrics"
IMAGE = "image"
ATTEMPT = "attempt"
ALERT = "alert"
#: How much an alert matters, least first.
ALERT_LEVELS = ("info", "warning", "error")

#: Steps are signed 64-bit integers.
STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1

_CHUNK_BYTES = 4 * 1024 * 1024
_STEP = re.compile(rb'"global_step": ?(-?[0-9]{1,19})[,}]')
#: Longer than any match of _STEP: so much of a chunk is looked at again with the next one.
_STEP_OVERLAP_BYTES = 64


def encode_event(event: dict[str, Any], dropped: Callable[[str, str], None]) -> bytes:
    """One event as one line with its newline. event: ``{"ts", "type", "data": {...}}``.

    Values that JSON cannot hold are left out of ``data``; ``dropped(key, type name)`` is told of each.
    """
    try:
        line = plain_line(event)
    except (TypeError, ValueError, RecursionError):
        return _slow_line(event, dropped)
    # orjson writes NaN as null, and arrays as lists: both are rare enough to look again, and to do so by bytes
    return _slow_line(event, dropped) if b"null" in line or b"[" in line else line


def _item(value: Any) -> Any:
    """For the encoders: a torch scalar's number (numpy's are known to orjson)."""
    try:
        return value.item()
    except (AttributeError, ValueError, RuntimeError) as error:  # torch and numpy differ for several elements
        raise TypeError(type(value).__name__) from error


def _find_encoder() -> Callable[[dict[str, Any]], bytes]:
    try:
        import orjson
    except ImportError:  # a training machine without wheels for it
        encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_item).encode
        return lambda event: encode(event).encode("utf-8") + b"\n"
    dumps = orjson.dumps
    # dates and dataclasses are refused, so that the same values are stored with and without orjson
    options = (
        orjson.OPT_SERIALIZE_NUMPY
        | orjson.OPT_APPEND_NEWLINE
        | orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_DATETIME
    )
    return lambda event: dumps(event, _item, options)


#: The line of an event whose values are plain; others raise, or come out as null or as a list (see encode_event).
plain_line = _find_encoder()


def _slow_line(event: dict[str, Any], dropped: Callable[[str, str], None]) -> bytes:
    data = {}
    for key, value in event["data"].items():
        try:
            data[plain_key(key)] = plain(value)
        except NotPlain as error:
            dropped(str(key), str(error))
    # the standard encoder, because only it writes integers beyond 64 bits
    text = json.dumps({**event, "data": data}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8") + b"\n"


def event_files(run_dir: Path) -> list[Path]:
    """All files of events in a run directory, that of the first writer first."""
    names = sorted(path.name for path in run_dir.iterdir() if layout.EVENTS_PATTERN.match(path.name))
    return [run_dir / name for name in sorted(names, key=lambda name: name != layout.EVENTS)]


def largest_step(run_dir: Path) -> int:
    """The largest step that was logged in a run, 0 if there is none.

    Looks for the key by its bytes instead of parsing: a million records take about 0.3 s.
    """
    largest = 0
    for path in event_files(run_dir):
        with open_regular(run_dir, path.name) as file:
            rest = b""
            while chunk := file.read(_CHUNK_BYTES):
                found = _STEP.findall(rest + chunk)
                if found:
                    largest = max(largest, max(map(int, found)))
                rest = chunk[-_STEP_OVERLAP_BYTES:]
    return min(largest, STEP_MAX)


def metric_points(run_dir: Path, name: str) -> Iterator[tuple[int, Any]]:
    """The (step, value) pairs of one metric, in log order within each file. Lines that are no records are skipped."""
    needle = json.dumps(name, ensure_ascii=False).encode("utf-8", "replace")
    for path in event_files(run_dir):
        with open_regular(run_dir, path.name) as file:
            for line in file:
                if needle not in line:
                    continue
                try:
                    event = json_text.loads(line)
                except (ValueError, RecursionError):
                    continue
                data = event.get("data") if isinstance(event, dict) and event.get("type") == METRICS else None
                if isinstance(data, dict) and name in data and isinstance(data.get("global_step"), int):
                    yield data["global_step"], data[name]
