"""Alerts of the events file are rows, whatever somebody wrote there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.mirror import apply
from experiments.models import Alert, Change, Problem
from tests.run_directories import log_records, write_run

pytestmark = pytest.mark.django_db(databases=["index"])


def write_events(run_dir: Path, *events: dict[str, Any]) -> None:
    with (run_dir / "events.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def alert(title: object, **more: Any) -> dict[str, Any]:
    return {"ts": 5.0, "type": "alert", "data": {"title": title, **more}}


def shown() -> list[tuple[str, str, str]]:
    return list(Alert.objects.order_by("id").values_list("level", "title", "text"))


def test_alerts_come_among_the_records_once_and_are_told(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir, records=[{"global_step": 1, "loss": 1}], status={"status": "running"})
    write_events(run_dir, alert("first", text="why", level="warning"))
    tick()
    log_records(run_dir, [{"global_step": 2, "loss": 2}])
    write_events(run_dir, alert("second"))
    tick()
    tick()

    assert shown() == [("warning", "first", "why"), ("info", "second", "")]
    assert Alert.objects.get(title="first").ts == 5.0
    assert Change.objects.filter(kind="alerts").count() == 2


def test_hostile_alerts_are_texts_and_break_nothing(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    write_events(
        run_dir,
        alert(None, level="fatal"),
        alert(["a"], text=7, level=["error"]),
        alert("x" * 5000, text="y" * 50_000, level="error"),
        {"type": "alert", "data": "text", "ts": "now"},
        {"type": "alert", "data": {"title": "nul \x00 <script>"}, "ts": "now"},
    )
    tick()

    assert [(level, len(title), len(text)) for level, title, text in shown()] == [
        ("info", 0, 0),
        ("info", 0, 0),
        ("error", 200, 10_000),
        ("info", 14, 0),
    ]
    assert "\x00" not in shown()[-1][1]


def test_a_replaced_events_file_begins_again(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    write_events(run_dir, alert("old"), *[alert(str(number)) for number in range(5)])
    tick()
    (run_dir / "events.jsonl").write_text("")
    write_events(run_dir, alert("new"))
    run_dir.parent.touch()
    tick()
    tick()

    assert shown() == [("info", "new", "")]


def test_a_run_that_alerts_at_every_step_is_cut_off_and_told(
    root_dir: Path, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(apply, "MAX_ALERTS_PER_RUN", 3)
    run_dir = write_run(root_dir, status={"status": "running"})
    write_events(run_dir, *[alert(str(number)) for number in range(2)])
    tick()
    write_events(run_dir, *[alert(str(number)) for number in range(2, 9)])
    tick()

    assert [title for _, title, _ in shown()] == ["0", "1", "2"]
    assert "More than 3 alerts" in Problem.objects.get().reason
