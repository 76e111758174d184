"""From bytes of an events file to columns.

The common case, a writer that logs the same keys again and again, goes through orjson and list comprehensions only:
per row that is about one and a half times the parsing itself. Format: docs/design/0002-run-directories.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any

import numpy as np
import orjson

from experiments.metrics.block_format import Axes, Column, Kind, Scalar, build_column
from runicorn.storage import json_text
from runicorn.storage.events import ALERT_LEVELS
from runicorn.storage.values import MAX_INTEGER, integer, number, optional_text, text

#: A record with thousands of metrics has 200 KB; a longer line is somebody's mistake and is passed over.
MAX_LINE_BYTES = 4 * 1024 * 1024
KEY_MAX_CHARS = 500
#: Of alerts; what does not fit is in the events file.
TITLE_MAX_CHARS = 200
TEXT_MAX_CHARS = 10_000
#: Keys of a record that are axes of the block, not metrics.
AXES = frozenset({"global_step", "step", "time", "stage"})
_HAS_STAGE = methodcaller("__contains__", "stage")


@dataclass(frozen=True)
class MediaRecord:
    key: str
    path: str
    step: int | None
    caption: str | None
    ts: float | None


@dataclass(frozen=True)
class AlertRecord:
    ts: float | None
    level: str
    title: str
    text: str


@dataclass
class ParsedEvents:
    """axes and columns of the metric records in log order; bad_lines with the first one's reason."""

    axes: Axes
    columns: dict[str, Column] = field(default_factory=dict)
    media: list[MediaRecord] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    bad_lines: int = 0
    first_bad: str = ""


def parse_events(lines: bytes, *, records_before: int) -> ParsedEvents:
    """Parse whole lines of an events file.

    lines: complete lines, each with its newline. records_before: how many metric records the run has already
    (records without any step, as 0.1 wrote them, are numbered in order of appearance).
    """
    events, bad_lines, first_bad = _load_lines(lines)
    records: list[Any] = [event.get("data") for event in events]
    media: list[MediaRecord] = []
    alerts: list[AlertRecord] = []
    if {event.get("type") for event in events} != {"metrics"} or set(map(type, records)) != {dict}:
        with_data = [event for event in events if type(event.get("data")) is dict]
        media = [item for event in with_data if event.get("type") == "image" and (item := _media(event))]
        alerts = [_alert(event) for event in with_data if event.get("type") == "alert"]
        events = [event for event in with_data if event.get("type") == "metrics"]
        records = [event["data"] for event in events]
    return ParsedEvents(_axes(records, events, records_before), _columns(records), media, alerts, bad_lines, first_bad)


def _load_lines(lines: bytes) -> tuple[list[dict[str, Any]], int, str]:
    """The JSON objects of the lines, how many lines were no JSON object, and why the first was not."""
    whole = lines[:-1] if lines.endswith(b"\n") else lines
    try:
        # one call for the whole chunk; the count tells when a broken line was patched up by its neighbour
        events = orjson.loads(b"[" + whole.replace(b"\n", b",") + b"]")
        if len(events) == whole.count(b"\n") + 1 and set(map(type, events)) == {dict}:
            return events, 0, ""
    except ValueError:
        pass  # blank lines, bare NaN, a broken line: one by one
    events, bad_lines, first_bad = [], 0, ""
    for line in whole.split(b"\n"):
        if not line or line.isspace():
            continue
        try:
            if len(line) > MAX_LINE_BYTES:
                raise ValueError(f"the line has {len(line)} bytes, more than {MAX_LINE_BYTES}")
            event = json_text.loads(line)
            if not isinstance(event, dict):
                raise ValueError("the line holds no JSON object")
            events.append(event)
        except (ValueError, RecursionError) as error:
            bad_lines, first_bad = bad_lines + 1, first_bad or text(str(error))
    return events, bad_lines, first_bad


def _media(event: dict[str, Any]) -> MediaRecord | None:
    image = event["data"]
    path = optional_text(image.get("path"))
    if not path:
        return None
    return MediaRecord(
        key=optional_text(image.get("key")) or path,
        path=path,
        step=integer(image.get("step")),
        caption=optional_text(image.get("caption")),
        ts=number(event.get("ts")),
    )


def _alert(event: dict[str, Any]) -> AlertRecord:
    alert = event["data"]
    level = alert.get("level")
    return AlertRecord(
        ts=number(event.get("ts")),
        level=level if level in ALERT_LEVELS else ALERT_LEVELS[0],
        title=(optional_text(alert.get("title")) or "")[:TITLE_MAX_CHARS],
        text=(optional_text(alert.get("text")) or "")[:TEXT_MAX_CHARS],
    )


def _axes(records: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]], records_before: int) -> Axes:
    steps = [record.get("global_step") for record in records]
    if set(map(type, steps)) - {int} or not _fits(steps):
        steps = [_step(record, records_before + index + 1) for index, record in enumerate(records)]
    times = [record.get("time") for record in records]
    if set(map(type, times)) - {float}:
        times = [_time(record.get("time"), event.get("ts")) for record, event in zip(records, events, strict=True)]
    stages, names = _stages(records)
    return Axes(np.array(steps, np.int64), np.array(times, np.float64), stages, names)


def _fits(steps: Sequence[Any]) -> bool:
    return not steps or (-MAX_INTEGER <= min(steps) and max(steps) <= MAX_INTEGER)


def _step(record: dict[str, Any], position: int) -> int:
    """global_step, else step, else an integer epoch, else the position in the run (from 1)."""
    for key in ("global_step", "step", "epoch"):
        value = record.get(key)
        if isinstance(value, float) and value.is_integer() and abs(value) < MAX_INTEGER:
            value = int(value)
        if (step := integer(value)) is not None:
            return step
    return position


def _time(value: object, ts: object) -> float:
    for candidate in (value, ts):
        if (found := number(candidate)) is not None:
            return found
    return math.nan


def _stages(records: Sequence[dict[str, Any]]) -> tuple[np.ndarray, tuple[str, ...]]:
    if not any(map(_HAS_STAGE, records)):
        return np.full(len(records), -1, np.int32), ()
    values = [record.get("stage") for record in records]
    codes: dict[str, int] = {}
    stages = [
        -1 if value is None or isinstance(value, (dict, list)) else codes.setdefault(text(str(value)), len(codes))
        for value in values
    ]
    return np.array(stages, np.int32), tuple(codes)


def _columns(records: Sequence[dict[str, Any]]) -> dict[str, Column]:
    if not records:
        return {}
    first = records[0]
    if set(map(len, records)) == {len(first)}:
        try:
            return _build(
                {key: ([record[key] for record in records], None) for key in first if key not in AXES}, len(records)
            )
        except KeyError:
            pass  # as many keys, but other ones
    cells: dict[str, tuple[list[Any], list[int]]] = {}
    for position, record in enumerate(records):
        for key, value in record.items():
            if key not in AXES:
                column = cells.get(key)
                if column is None:
                    column = cells[key] = ([], [])
                column[0].append(value)
                column[1].append(position)
    return _build(cells, len(records))


def _build(cells: dict[str, Any], record_count: int) -> dict[str, Column]:
    columns = {}
    for key, (values, positions) in cells.items():
        types = set(map(type, values))
        if types == {float} and positions is None:
            columns[text(key)[:KEY_MAX_CHARS]] = Column(None, Kind.FLOAT, np.array(values, np.float64))
            continue
        if types - {float, int}:
            values, positions = _scalars(values, positions)
        elif int in types and not _fits([value for value in values if type(value) is int]):
            values = [_as_float(value) for value in values]
        if values:
            columns[text(key)[:KEY_MAX_CHARS]] = build_column(values, positions, record_count)
    return columns


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _scalars(values: Sequence[Any], positions: Sequence[int] | None) -> tuple[list[Scalar], Sequence[int]]:
    """What a table shows: spelled non-finite numbers become floats, nested values are left out, texts are cleaned."""
    kept: list[Scalar] = []
    where: list[int] = []
    for position, value in zip(positions if positions is not None else range(len(values)), values, strict=True):
        if isinstance(value, (dict, list)):
            continue
        if isinstance(value, str):
            value = json_text.NON_FINITE.get(value) if value in json_text.NON_FINITE else text(value)
        elif type(value) is int and abs(value) > MAX_INTEGER:
            value = _as_float(value)
        kept.append(value)
        where.append(position)
    return kept, where
