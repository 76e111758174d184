"""Alerts are events of the run, as safe as its records."""

from __future__ import annotations

import pytest

import runicorn as rn
from tests.training_scripts import events, only_run, run_script


def alerts(run_dir):
    return [event["data"] for event in events(run_dir) if event["type"] == "alert"]


def test_an_alert_has_its_title_text_and_level(run):
    rn.alert("diverged", "loss is nan", level="error")
    run.alert("lr dropped")

    assert alerts(run.run_dir) == [
        {"title": "diverged", "text": "loss is nan", "level": "error"},
        {"title": "lr dropped", "text": "", "level": "info"},
    ]


def test_an_unknown_level_is_warned_about_and_nothing_is_lost(run, forgiving, caplog):
    lenient = rn.init(project="vision", run_id="lenient", capture_env=False, console=False)

    for level in ("loud", "loud", None, ["error"]):
        lenient.alert("what", level=level)

    assert [alert["level"] for alert in alerts(lenient.run_dir)] == ["info"] * 4
    assert sum("none of info, warning, error" in message for message in caplog.messages) == 1


def test_whatever_is_said_becomes_a_text(run):
    run.alert(ValueError("bad \ud800 value"), {"step": 1}, level="warning")

    (alert,) = alerts(run.run_dir)
    assert alert["title"].startswith("bad ")
    assert alert["text"] == "{'step': 1}"


def test_an_alert_survives_the_death_of_its_process(root):
    run_script(
        "import os, signal; rn.init(capture_env=False); rn.alert('last words'); os.kill(os.getpid(), signal.SIGKILL)",
        root=root,
        check=False,
    )

    assert [alert["title"] for alert in alerts(only_run(root))] == ["last words"]


def test_without_a_run_and_after_its_end_it_says_so(run):
    run.finish()

    with pytest.raises(RuntimeError, match="finished"):
        run.alert("too late")
    with pytest.raises(RuntimeError, match="alert"):
        rn.alert("nowhere")
