"""What the command palette offers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import make_root, make_run

pytestmark = pytest.mark.django_db(databases=["index"])


def offers(client: Client, text: str) -> dict[str, list[dict[str, Any]]]:
    return {group["title"]: group["offers"] for group in client.get("/palette", {"q": text}).json()}


def test_runs_projects_and_experiments_are_found_by_words_in_any_case(client: Client):
    root = make_root()
    run = make_run(root, 1, project="Vision", name="resnet", search_text="vision resnet 训练 one")
    make_run(root, 2, project="nlp", name="bert", search_text="nlp bert")

    found = offers(client, "VISION 训")
    places = offers(client, "vis res")

    assert [offer["href"] for offer in found["Runs"]] == [f"/runs/{run.run_id}"]
    assert list(places) == ["Runs", "Experiments"]
    assert places["Experiments"][0]["href"] == "/runs?project=Vision&experiment=resnet"
    assert offers(client, "vision")["Projects"][0]["href"] == "/runs?project=Vision"


def test_the_newest_come_first_and_not_too_many(client: Client):
    root = make_root()
    runs = [make_run(root, number, created_at=float(number), search_text="same") for number in range(20)]

    found = offers(client, "same")["Runs"]

    assert [offer["label"] for offer in found] == [run.run_id for run in reversed(runs)][:8]


def test_runs_in_the_recycle_bin_are_not_offered_nor_anything_for_nothing(client: Client):
    make_run(make_root(), deleted_at=1.0, search_text="gone")

    assert offers(client, "gone") == {}
    assert offers(client, "  ") == {}
    assert offers(client, "x" * 10_000) == {}
