"""The page of the recycle bin."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.experiments.pages.conftest import text_of, without_tokens
from tests.run_directories import RUN_ID, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["default", "index"])

PATH = f"vision/vit/runs/{RUN_ID}"
OTHER_ID = "20250114_153045_a1b2c4"
OTHER_PATH = f"nlp/bert/runs/{OTHER_ID}"


def delete(root_dir: Path, path: str, *, at: float = 1_799_996_400.0) -> Path:
    run_dir = write_run(root_dir, path)
    write_json(run_dir / ".deleted", {"deleted_at": at, "reason": "user_deleted", "original_status": "finished"})
    return run_dir


@pytest.fixture
def deleted(root_dir: Path, index) -> tuple[Path, Path]:
    """Two runs in the recycle bin."""
    folders = delete(root_dir, PATH), delete(root_dir, OTHER_PATH, at=1_799_990_000.0)
    index()
    return folders


def test_it_lists_what_is_in_it_latest_first_with_what_it_takes(deleted, page):
    (deleted[0] / "checkpoint").write_bytes(b"x" * 3_000_000)

    text = text_of(page("/recycle-bin"))

    assert text.index(RUN_ID) < text.index(OTHER_ID)
    assert re.search(r"2\.8\d MB", text)
    assert "finished" in text


def test_an_empty_bin_says_so(index, page):
    assert "The recycle bin is empty" in page("/recycle-bin")


def test_a_chosen_run_is_restored_and_the_others_stay(deleted, client: Client):
    answer = client.post("/recycle-bin/restore", {"run": f"local/{PATH}"}, follow=True)

    assert "1 run restored." in answer.content.decode()
    assert [(folder / ".deleted").exists() for folder in deleted] == [False, True]
    assert client.get(f"/runs/{RUN_ID}").status_code == 200


def test_without_a_choice_nothing_happens(deleted, client: Client):
    assert "Choose runs first." in client.post("/recycle-bin/restore", follow=True).content.decode()
    assert client.post("/recycle-bin/purge").url == "/recycle-bin"


@pytest.mark.parametrize("form", [{"run": [f"local/{PATH}"]}, {"all": "1"}])
def test_deleting_for_ever_asks_first_and_deletes_what_it_asked_about(
    deleted, client: Client, root_dir: Path, index, form
):
    asked = client.post("/recycle-bin/purge", form).content.decode()
    count = 2 if "all" in form else 1
    assert f"{count} run" in text_of(asked)
    assert "KB on disk" in text_of(asked)
    assert all(folder.is_dir() for folder in deleted)
    later = delete(root_dir, "nlp/bert/runs/20250114_153045_a1b2c9")
    index()

    named = unescape(re.search(r'name="runs" value="([^"]+)"', asked)[1])
    done = client.post("/recycle-bin/purge", {"runs": named, "confirmed": "1"}, follow=True).content.decode()

    assert f"{count} run{'s' if count > 1 else ''} deleted for ever." in done
    assert [folder.exists() for folder in deleted] == [False, count == 1]
    assert later.is_dir()


def test_a_run_that_is_not_in_the_bin_is_neither_restored_nor_deleted(root_dir: Path, index, client: Client):
    run_dir = write_run(root_dir, PATH)
    index()

    for address in ("/recycle-bin/restore", "/recycle-bin/purge"):
        client.post(address, {"run": f"local/{PATH}", "confirmed": "1"})
        client.post(address, {"runs": "{broken", "confirmed": "1"})

    assert (run_dir / "meta.json").is_file()


def test_the_fragment_is_that_part_of_the_page(deleted, page):
    fragment = page("/recycle-bin", fragment=True)

    assert without_tokens(fragment).strip() in without_tokens(page("/recycle-bin"))


def test_a_form_without_the_page_s_token_changes_nothing(deleted):
    strict = Client(enforce_csrf_checks=True)

    for address in ("/recycle-bin/restore", "/recycle-bin/purge"):
        assert strict.post(address, {"run": f"local/{PATH}", "confirmed": "1"}).status_code == 403
    assert (deleted[0] / ".deleted").is_file()


def test_more_rows_need_no_more_queries(deleted, root_dir: Path, index, client: Client):
    def count() -> int:
        with CaptureQueriesContext(connections["index"]) as queries:
            client.get("/recycle-bin")
        return len(queries)

    with_two = count()
    for number in range(38):
        delete(root_dir, f"nlp/bert/runs/20250114_153045_c{number:05x}")
    index()

    assert count() == with_two
