"""Curating runs in the admin: files first, then rows, and never another run than the one that was shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Run, StorageRoot
from experiments.services.curation import edit_run
from runicorn.storage.curation import Edit
from tests.experiments.admin.pages import (
    IDENTITY,
    LIST,
    PATH,
    Tick,
    address_of,
    choose,
    confirm,
    form_of,
    listed,
    messages,
)
from tests.run_directories import RUN_ID, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["default", "index"])

OTHER_ID = "20250114_153045_a1b2c4"
OTHER_PATH = f"nlp/bert/runs/{OTHER_ID}"


@pytest.fixture
def other_dir(root_dir: Path, run_dir: Path, tick: Tick) -> Path:
    other_dir = write_run(root_dir, OTHER_PATH, status={"status": "failed"}, meta={"created_at": 1736868600.0})
    tick()
    return other_dir


def curation(run_dir: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run_dir / "curation.json").read_text("utf-8"))
    return document


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [RUN_ID, OTHER_ID]),
        ("?status=failed", [OTHER_ID]),
        ("?status=running", []),
        ("?status=silent", []),
        ("?project=vision", [RUN_ID]),
        ("?project=nlp&experiment=bert", [OTHER_ID]),
        ("?tag=first", [RUN_ID]),
        ("?pinned=yes", []),
        ("?archived=no", [RUN_ID, OTHER_ID]),
        ("?deleted=yes", []),
        ("?q=BERT+nlp", [OTHER_ID]),
        ("?q=first", [RUN_ID]),
        ("?o=4", [OTHER_ID, RUN_ID]),
    ],
)
def test_the_list_is_filtered_searched_and_sorted(client: Client, other_dir: Path, query: str, found: list[str]):
    assert listed(client, query) == found


def test_flags_and_the_recycle_bin_are_filters_too(client: Client, other_dir: Path, run_dir: Path):
    choose(client, "pin", IDENTITY)
    choose(client, "archive", IDENTITY)
    choose(client, "move_to_recycle_bin", f"local/{OTHER_PATH}")

    assert (listed(client), listed(client, "?deleted=yes")) == ([RUN_ID], [OTHER_ID])
    assert listed(client, "?deleted=all") == [RUN_ID, OTHER_ID]
    assert (listed(client, "?pinned=yes"), listed(client, "?archived=no")) == ([RUN_ID], [])
    assert (curation(run_dir)["pinned"], curation(run_dir)["archived"]) == (True, True)


def test_tags_are_added_to_and_removed_from_many_runs(client: Client, other_dir: Path, run_dir: Path):
    page = choose(client, "add_tags", IDENTITY, f"local/{OTHER_PATH}", query="?deleted=all")
    assert "For 2 runs:" in page.content.decode()

    done = confirm(client, page, tags="good, 好,good")

    assert messages(done) == ["Add tags: 2 runs."]
    assert done.request["QUERY_STRING"] == "deleted=all"  # the list as it was
    assert curation(run_dir)["tags"] == ["first", "good", "好"]
    assert curation(other_dir)["tags"] == ["good", "好"]
    assert json.loads(Run.objects.get(path=PATH).tags) == ["first", "good", "好"]
    confirm(client, choose(client, "remove_tags", IDENTITY), tags="first, never")
    assert curation(run_dir)["tags"] == ["good", "好"]


def test_a_tag_that_is_refused_is_said_beside_the_field(client: Client, run_dir: Path):
    page = confirm(client, choose(client, "add_tags", IDENTITY), tags="x" * 101)

    assert "has 101 characters; at most 100 are kept." in page.content.decode()
    assert not (run_dir / "curation.json").exists()
    assert messages(confirm(client, page, tags="short")) == ["Add tags: 1 run."]


def test_a_description_goes_to_all_chosen_runs(client: Client, run_dir: Path, other_dir: Path):
    confirm(client, choose(client, "describe", IDENTITY, f"local/{OTHER_PATH}"), description="of March")

    assert [curation(folder)["description"] for folder in (run_dir, other_dir)] == ["of March"] * 2


def test_what_fails_for_one_run_is_said_and_done_for_the_others(client: Client, run_dir: Path, other_dir: Path):
    (other_dir / "curation.json").write_text("{broken")

    page = client.get(choose(client, "pin", IDENTITY, f"local/{OTHER_PATH}").url)

    done, failed = messages(page)
    assert done == "Pin: 1 run."
    assert failed.startswith(f"local/{OTHER_PATH}: ")
    assert "Nothing was changed" in failed
    assert curation(run_dir)["pinned"] is True


def test_deleting_and_restoring(client: Client, run_dir: Path):
    choose(client, "move_to_recycle_bin", IDENTITY)
    assert (run_dir / ".deleted").is_file()

    choose(client, "restore", IDENTITY, query="?deleted=yes")

    assert not (run_dir / ".deleted").exists()
    assert listed(client) == [RUN_ID]


def test_deleting_for_ever_shows_the_bytes_first_and_spares_what_is_not_in_the_bin(
    client: Client, run_dir: Path, other_dir: Path
):
    (run_dir / "checkpoint").write_bytes(b"x" * 3_000_000)
    choose(client, "move_to_recycle_bin", IDENTITY)

    page = choose(client, "purge", IDENTITY, f"local/{OTHER_PATH}", query="?deleted=all")

    html = page.content.decode()
    assert "1 run is deleted for ever, and 2.8" in html
    assert RUN_ID in html
    assert OTHER_ID not in html
    assert run_dir.is_dir()
    done = confirm(client, page)
    assert "Delete for ever: 1 run." in messages(done)
    assert (run_dir.exists(), other_dir.is_dir()) == (False, True)
    assert listed(client, "?deleted=all") == [OTHER_ID]


def test_a_run_that_was_restored_after_the_question_is_not_deleted_for_ever(client: Client, run_dir: Path):
    choose(client, "move_to_recycle_bin", IDENTITY)
    page = choose(client, "purge", IDENTITY, query="?deleted=yes")
    (run_dir / ".deleted").unlink()  # by hand, and the mirror has not looked since

    done = confirm(client, page)

    assert run_dir.is_dir()
    assert "nothing was removed" in messages(done)[-1]


def renumber() -> None:
    """What a reindex does: other numbers, so that each run has the one of another."""
    rows = {run.pk: run.path for run in Run.objects.all()}
    numbers = list(rows)
    for number, path in rows.items():
        Run.objects.filter(pk=number).update(path=f"moving/{path}")
    for number, path in zip(numbers[1:] + numbers[:1], rows.values(), strict=True):
        Run.objects.filter(pk=number).update(path=path, run_id=path.rpartition("/")[2])


def test_after_a_reindex_an_open_page_still_means_the_run_it_showed(client: Client, run_dir: Path, other_dir: Path):
    asked = choose(client, "add_tags", IDENTITY)
    shown = client.get(address_of(client))
    data = form_of(shown) | {"description": "mine"}

    renumber()
    confirm(client, asked, tags="asked")
    choose(client, "pin", IDENTITY)
    client.post(shown.request["PATH_INFO"], data)

    assert curation(run_dir) | {"tags": ["first", "asked"], "pinned": True, "description": "mine"} == curation(run_dir)
    assert not (other_dir / "curation.json").exists()


def test_a_run_page_changes_what_was_changed_on_it_and_nothing_else(client: Client, root: StorageRoot, run_dir: Path):
    address = address_of(client)
    data = form_of(client.get(address))
    run = Run.objects.select_related("root").get(path=PATH)
    edit_run(run, Edit(add_tags=["by another"], notes="by another", pinned=True), by="bob", at=1.0)

    answer = client.post(address, data | {"tags": "first, mine", "description": "mine"})

    assert answer.status_code == 302
    after = curation(run_dir)
    assert after["tags"] == ["first", "by another", "mine"]
    assert (after["description"], after["notes"], after["pinned"]) == ("mine", "by another", True)


def test_a_run_page_that_changes_nothing_writes_nothing(client: Client, run_dir: Path):
    address = address_of(client)

    client.post(address, form_of(client.get(address)))

    assert not (run_dir / "curation.json").exists()


def test_what_cannot_be_written_is_said_on_the_page(client: Client, run_dir: Path):
    address = address_of(client)
    data = form_of(client.get(address))
    (run_dir / "curation.json").write_text("{broken")

    page = client.post(address, data | {"description": "mine"}, follow=True)

    assert "Nothing was changed" in messages(page)[0]


def test_problems_stand_in_the_list_and_on_the_run(client: Client, run_dir: Path, root_dir: Path, tick: Tick):
    (run_dir / "summary.json").write_text("{broken")
    run_dir.parent.touch()
    tick()

    assert '<td class="field-problem_count">1</td>' in client.get(LIST).content.decode()
    assert "is not valid JSON" in client.get(address_of(client)).content.decode()
    problems = client.get("/admin/experiments/problem/").content.decode()
    assert f"{PATH}/summary.json" in problems
    assert address_of(client) in problems


def test_projects_and_experiments_are_counted_and_lead_to_their_runs(client: Client, other_dir: Path, run_dir: Path):
    choose(client, "move_to_recycle_bin", IDENTITY)

    projects = client.get("/admin/experiments/project/").content.decode()
    experiments = client.get("/admin/experiments/experiment/?project=nlp").content.decode()

    assert f'href="{LIST}?project=nlp&amp;status=failed">1<' in projects
    assert f'href="{LIST}?project=vision&amp;deleted=yes">1<' in projects
    assert f'href="{LIST}?project=nlp&amp;experiment=bert">1<' in experiments
    assert "vit" not in experiments
    assert listed(client, "?project=vision&deleted=yes") == [RUN_ID]


def test_who_did_it_is_written_down_beside_the_accounts_and_in_the_file(client: Client, ada: User, run_dir: Path):
    client.force_login(ada)

    confirm(client, choose(client, "add_tags", IDENTITY), tags="x")
    client.post(address_of(client), form_of(client.get(address_of(client))) | {"description": "d"})
    choose(client, "move_to_recycle_bin", IDENTITY)
    confirm(client, choose(client, "purge", IDENTITY, query="?deleted=yes"))

    entries = LogEntry.objects.order_by("pk").values_list("user", "object_id", "object_repr", "action_flag")
    assert list(entries) == [(ada.pk, IDENTITY, RUN_ID, flag) for flag in (2, 2, 2, 3)]
    assert LogEntry.objects.earliest("pk").change_message == "add_tags x"


def test_the_history_of_a_run_is_found_by_its_place(client: Client, ada: User, run_dir: Path):
    client.force_login(ada)
    choose(client, "pin", IDENTITY)

    history = client.get(address_of(client).replace("/change/", "/history/")).content.decode()

    assert "pin" in history
    assert "ada" in history
    assert client.get("/admin/").status_code == 200


def test_where_nobody_logs_in_the_file_alone_says_what_was_done(client: Client, run_dir: Path):
    choose(client, "pin", IDENTITY)

    assert curation(run_dir)["updated_by"] is None
    assert not LogEntry.objects.exists()


def test_rows_can_be_neither_added_nor_deleted_by_hand(client: Client, ada: User, run_dir: Path):
    client.force_login(ada)

    assert client.post(f"{LIST}add/").status_code == 403
    assert client.post(address_of(client).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert listed(client) == [RUN_ID]
    assert run_dir.is_dir()


def test_a_form_that_was_tampered_with_touches_nothing(client: Client, run_dir: Path):
    for runs in ("", "x", '["local/../../etc"]', '{"a": 1}', "[[1]]", '["local"]'):
        answer = client.post(f"{LIST}apply/pin", {"rows": runs, "back": "//evil.example/?deleted=all"})
        assert answer.url == f"{LIST}?deleted=all"
    assert client.post(f"{LIST}apply/format_disk", {"rows": json.dumps([IDENTITY])}).status_code == 302
    assert client.get(f"{LIST}apply/pin").status_code == 302

    assert not (run_dir / "curation.json").exists()


@pytest.mark.parametrize("query", ["", "?project=vision", "?q=vit", "?tag=first", "?deleted=all"])
def test_more_rows_need_no_more_queries(client: Client, root_dir: Path, run_dir: Path, tick: Tick, query: str):
    def count() -> int:
        with CaptureQueriesContext(connections["index"]) as queries:
            assert client.get(LIST + query).status_code == 200
        return len(queries)

    write_run(root_dir, "vision/vit/runs/20250114_153045_b00000", meta={"tags": ["first"]})
    tick()
    with_two = count()
    for number in range(1, 40):
        run = write_run(root_dir, f"vision/vit/runs/20250114_153045_b{number:05x}", meta={"tags": ["first"]})
        write_json(run / "curation.json", {"description": "x"})
    (run_dir.parent).touch()
    tick()

    assert len(listed(client, query)) == 41
    assert count() == with_two <= 12
