"""What people change on the page of a run goes into its files, and a refusal loses nothing that was typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Run
from tests.experiments.pages.conftest import text_of
from tests.run_directories import RUN_ID, write_run

pytestmark = pytest.mark.django_db(databases=["index", "default"])
ADDRESS = f"/runs/{RUN_ID}/edit"


@pytest.fixture
def run_dir(root_dir: Path, index: Callable[[], None]) -> Path:
    run_dir = write_run(root_dir, meta={"tags": ["old"], "notes": "# first"})
    index()
    return run_dir


def sent(**changed: str) -> dict[str, str]:
    """The form as a browser sends it, with what it showed."""
    shown = {"tags": "old", "display_name": "", "description": "", "notes": "# first"}
    return {f"initial-{name}": value for name, value in shown.items()} | shown | changed


def curation(run_dir: Path) -> Any:
    return json.loads((run_dir / "curation.json").read_text())


def test_name_tags_and_notes_are_saved_and_shown(client: Client, run_dir: Path):
    answer = client.post(ADDRESS, sent(display_name="the good one", tags="old, new", notes="## Why\n*because*"))

    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{RUN_ID}/overview")
    html = client.get(answer["Location"]).content.decode()
    assert "<em>because</em>" in html
    assert "the good one" in text_of(html)
    assert "Saved." in text_of(html)
    saved = curation(run_dir)
    assert (saved["display_name"], saved["tags"]) == ("the good one", ["old", "new"])


def test_only_what_was_changed_is_written(client: Client, run_dir: Path):
    client.post(ADDRESS, sent(tags="old, mine"))
    client.post(ADDRESS, sent(display_name="by another"))  # its page showed neither

    assert (curation(run_dir)["display_name"], curation(run_dir)["tags"]) == ("by another", ["old", "mine"])


def test_a_refusal_stands_beside_what_was_typed(client: Client, run_dir: Path):
    answer = client.post(ADDRESS, sent(tags="x" * 300, notes="typed for an hour"))

    html = answer.content.decode()
    assert answer.status_code == 400
    assert "typed for an hour" in html
    assert 'class="field-error"' in html
    assert '<details class="actions" data-fold="edit" open>' in html
    assert json.loads(Run.objects.get().tags) == ["old"]
    assert not (run_dir / "curation.json").exists()


def test_notes_are_cleaned(client: Client, run_dir: Path):
    client.post(ADDRESS, sent(notes="<script>alert(1)</script> [x](javascript:1) **ok**"))

    html = client.get(f"/runs/{RUN_ID}/overview").content.decode()
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<strong>ok</strong>" in html


def test_a_run_that_is_gone_is_not_edited(client: Client, run_dir: Path):
    assert client.post("/runs/unheard/edit", sent()).status_code == 404


def test_a_run_is_moved_to_the_recycle_bin_from_its_page(client: Client, run_dir: Path):
    answer = client.post("/runs.delete", {"run": f"local/{Run.objects.get().path}"}, follow=True)

    assert "1 run is in the recycle bin." in text_of(answer.content.decode())
    assert (run_dir / ".deleted").is_file()


def test_a_colour_is_chosen_shown_and_taken_back(client: Client, run_dir: Path):
    client.post(ADDRESS, sent(color="plum"))

    assert curation(run_dir)["color"] == "plum"
    assert "run-head run-color-11" in client.get(f"/runs/{RUN_ID}").content.decode()

    client.post(ADDRESS, sent(color="") | {"initial-color": "plum"})
    assert curation(run_dir)["color"] is None


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/compare?runs=a,b", "/compare?runs=a,b"),
        ("//elsewhere.example/", "/runs"),
        ("https://elsewhere.example/", "/runs"),
        ("", "/runs"),
    ],
)
def test_a_colour_chosen_on_another_page_leads_back_there_and_nowhere_else(
    client: Client, run_dir: Path, back: str, location: str
):
    answer = client.post("/runs.color", {"run": f"local/{Run.objects.get().path}", "color": "sky", "back": back})

    assert (answer.status_code, answer["Location"]) == (302, location)
    assert Run.objects.get().color == "sky"


def test_an_unknown_colour_is_refused_and_one_in_the_files_is_left_out(
    client: Client, run_dir: Path, index: Callable[[], None]
):
    answer = client.post("/runs.color", {"run": f"local/{Run.objects.get().path}", "color": "ultraviolet"})
    assert answer.status_code == 400
    assert "is no colour of runs" in answer.content.decode()

    (run_dir / "curation.json").write_text('{"color": ["plum"]}')
    index()
    assert Run.objects.get().color is None
