"""docs/design/0002-run-directories.md names every file and key that the library writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runicorn as rn
from runicorn.environment import capture_for_run
from tests.training_scripts import document, events

PAGE = Path(__file__).parents[2] / "docs" / "design" / "0002-run-directories.md"


@pytest.fixture
def words():
    """Every word that the page sets as code, alone or in a list."""
    spans = re.findall(r"`+([^`]+)`+", PAGE.read_text("utf-8"))
    return {word for span in spans for word in re.findall(r"[\w.]+", span)}


@pytest.fixture
def finished_run(root):
    """A run that used everything."""
    run = rn.init(project="vision", config={"lr": 1}, tags=["a"], notes="n", group="g", capture_env=False)
    run.set_primary_metric("acc")
    run.log({"acc": 1}, stage="train")
    run.log_text("x")
    run.log_image("key", b"\x89PNG\r\n\x1a\n")
    capture_for_run(run.run_dir)
    run.finish()
    again = rn.init(run_id=run.id, capture_env=False, console=False)
    again.finish()
    return again


def test_every_file_is_on_the_page(finished_run):
    page = PAGE.read_text("utf-8")
    names = {path.name for path in finished_run.run_dir.iterdir() if not path.name.endswith(".lock")}

    assert {name for name in names if name not in page} == set()


@pytest.mark.parametrize("name", ["meta.json", "status.json", "summary.json", "heartbeat.json", "environment.json"])
def test_every_key_of_a_document_is_on_the_page(finished_run, words, name):
    assert set(document(finished_run.run_dir, name)) - words == set()


def test_every_event_and_its_keys_are_on_the_page(finished_run, words):
    for event in events(finished_run.run_dir):
        keys = set(event["data"]) - {"acc"}
        assert {event["type"], *keys} - words == set()
