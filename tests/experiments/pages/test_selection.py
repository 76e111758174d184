"""What is done to ticked runs, and undone: the files change, and the toast says how it is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Run
from experiments.queries.runs import RunIdentity
from tests.run_directories import RUN_ID, write_run

pytestmark = pytest.mark.django_db(databases=["index", "default"])


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    """Sends a change as the page does; gives the toast."""

    def send(address: str, **values: Any) -> Any:
        answer = client.post(address, values, headers={"HX-Request": "true"})
        assert answer.status_code == 204, answer.content
        return json.loads(answer["HX-Trigger"])["runicorn:toast"]

    return send


@pytest.fixture
def runs(root_dir: Path, index: Callable[[], None]) -> list[str]:
    """Identities of two runs: the first has the tag "old"."""
    write_run(root_dir, meta={"tags": ["old"]})
    write_run(root_dir, "vision/vit/runs/second")
    index()
    return [str(RunIdentity.of(run)) for run in Run.objects.select_related("root").order_by("run_id")]


def tags(run_id: str) -> list[str]:
    return json.loads(Run.objects.get(run_id=run_id).tags)  # type: ignore[no-any-return]


def test_tags_are_added_and_undone_where_they_were_new(post: Callable[..., Any], runs: list[str], root_dir: Path):
    toast = post("/runs.tag", run=runs, add="old， new")

    assert toast["text"] == "2 runs tagged."
    assert (tags(RUN_ID), tags("second")) == (["old", "new"], ["old", "new"])
    assert "new" in (root_dir / "vision/vit/runs/second/curation.json").read_text()

    post(toast["undo"]["url"], **toast["undo"]["values"])

    assert (tags(RUN_ID), tags("second")) == (["old"], [])


def test_runs_go_to_the_recycle_bin_and_come_back(post: Callable[..., Any], runs: list[str], root_dir: Path):
    toast = post("/runs.delete", run=runs)

    assert toast["text"] == "2 runs are in the recycle bin."
    assert Run.objects.filter(deleted_at=None).count() == 0
    assert (root_dir / f"vision/vit/runs/{RUN_ID}/.deleted").is_file()

    post(toast["undo"]["url"], **toast["undo"]["values"])

    assert Run.objects.filter(deleted_at=None).count() == 2


def test_a_run_that_cannot_be_changed_says_why_and_the_others_are(post: Callable[..., Any], runs: list[str]):
    toast = post("/runs.tag", run=[*runs, "local/../../etc"], add="x" * 300)

    assert toast["text"].startswith("0 runs tagged.")
    assert "300" in toast["text"] or "tag" in toast["text"]


@pytest.mark.parametrize("values", [{"edits": "{"}, {"edits": "[1]"}, {"edits": '[["a", 1, 2]]'}])
def test_an_undo_that_was_tampered_with_changes_nothing(client: Client, runs: list[str], values: dict[str, str]):
    assert client.post("/runs.tag", values, headers={"HX-Request": "true"}).status_code == 400
    assert tags(RUN_ID) == ["old"]


def test_without_a_choice_nothing_is_done(post: Callable[..., Any], runs: list[str]):
    assert post("/runs.delete") == {"text": "Choose runs first."}


def test_more_runs_than_one_change_takes_are_refused(client: Client, runs: list[str]):
    answer = client.post("/runs.delete", {"run": ["local/x"] * 1001}, headers={"HX-Request": "true"})

    assert answer.status_code == 400
    assert "1000" in answer.content.decode()
