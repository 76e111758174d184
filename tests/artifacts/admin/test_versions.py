"""Curating versions in the admin: files first, then rows, and never another version than the one that was shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artifacts.models import Artifact, ArtifactVersion
from runicorn.artifacts.curation import VersionEdit, edit_version, set_alias
from runicorn.artifacts.documents import read_index
from runicorn.artifacts.removal import delete_version, restore_version
from tests.artifacts.stored import log_version, place_of
from tests.experiments.admin import pages
from tests.experiments.admin.pages import confirm, form_of, messages

pytestmark = pytest.mark.django_db(databases=["default", "index"])
Tick = Callable[[], None]

LIST = "/admin/artifacts/artifactversion/"
FIRST, SECOND = "local/model/net:v1", "local/model/net:v2"


def listed(client: Client, query: str = "") -> list[str]:
    return pages.listed(client, query, address=LIST)


def choose(client: Client, action: str, *identities: str, query: str = "") -> Any:
    return pages.choose(client, action, *identities, query=query, address=LIST)


def address_of(client: Client, number: int = 1) -> str:
    html = client.get(LIST).content.decode()
    return next(part for part in html.split('"') if part.endswith(f"net_3Av{number}/change/"))


def metadata(storage: Path, number: int = 1) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((storage / f"artifacts/model/net/v{number}/metadata.json").read_text())
    return document


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["net:v2", "net:v1", "data:v1"]),
        ("?type=model", ["net:v2", "net:v1"]),
        ("?type=dataset", ["data:v1"]),
        ("?stage=staging", []),
        ("?deleted=yes", []),
        ("?q=NET", ["net:v2", "net:v1"]),
        ("?q=of+march", ["data:v1"]),
        ("?q=20250114", ["net:v2", "net:v1", "data:v1"]),
        ("?o=4", ["data:v1", "net:v2", "net:v1"]),
    ],
)
def test_the_list_is_filtered_searched_and_sorted(client: Client, net: Path, tick: Tick, query: str, found: list[str]):
    log_version(net, {"a": b"1"}, name="data", type="dataset", minute=-1, description="Of March")
    tick()

    assert listed(client, query) == found


def test_tags_are_added_to_and_removed_from_many_versions(client: Client, net: Path):
    done = confirm(client, choose(client, "add_tags", FIRST, SECOND), tags="good, 好,good")
    assert messages(done) == ["Add tags: 2 versions."]
    assert [metadata(net, number)["tags"] for number in (1, 2)] == [["good", "好"]] * 2

    confirm(client, choose(client, "remove_tags", FIRST), tags="good")

    assert [version.tags for version in ArtifactVersion.objects.order_by("number")] == [["好"], ["good", "好"]]
    assert metadata(net)["tags"] == ["好"]


def test_versions_go_into_the_recycle_bin_and_come_back(client: Client, net: Path):
    choose(client, "move_to_recycle_bin", SECOND)
    assert (listed(client), listed(client, "?deleted=yes")) == (["net:v1"], ["net:v2"])
    assert (net / "artifacts/model/net/v2/.deleted").exists()
    assert read_index(place_of(net)).aliases["latest"] == 1

    choose(client, "restore", SECOND, query="?deleted=yes")

    assert listed(client) == ["net:v2", "net:v1"]
    assert not (net / "artifacts/model/net/v2/.deleted").exists()


def test_deleting_for_ever_shows_the_bytes_first_and_spares_what_is_not_in_the_bin(
    client: Client, net: Path, tick: Tick
):
    log_version(net, {"big": b"x" * 3_000_000}, minute=5)
    tick()
    choose(client, "move_to_recycle_bin", "local/model/net:v3")

    asked = choose(client, "purge", FIRST, "local/model/net:v3", query="?deleted=all")

    html = asked.content.decode()
    assert re.search(r"1 version is deleted for ever, and 2\.8\d MB on disk", html)
    assert "net:v1" not in html
    done = confirm(client, asked)
    assert messages(done)[-1] == "Delete for ever: 1 version."
    assert listed(client, "?deleted=all") == ["net:v2", "net:v1"]
    assert not (net / "artifacts/model/net/v3").exists()


def test_what_only_the_chosen_share_counts_once_among_the_bytes(client: Client, net: Path, tick: Tick):
    for minute in (5, 6):
        log_version(net, {"big": b"x" * 3_000_000, "own": b"%d" % minute}, name="big", minute=minute)
    tick()
    both = ("local/model/big:v1", "local/model/big:v2")
    choose(client, "move_to_recycle_bin", *both)

    alone = choose(client, "purge", both[0], query="?deleted=yes").content.decode()
    together = choose(client, "purge", *both, query="?deleted=yes").content.decode()

    assert "and 1.00 B on disk with it" in alone
    assert re.search(r"2 versions are deleted for ever, and 2\.86 MB on disk", together)


def test_a_version_that_was_restored_after_the_question_is_not_deleted_for_ever(client: Client, net: Path):
    choose(client, "move_to_recycle_bin", SECOND)
    asked = choose(client, "purge", SECOND, query="?deleted=yes")
    restore_version(place_of(net), 2, at=9.0)  # and the mirror has not looked since

    done = confirm(client, asked)

    assert messages(done)[-1].startswith(f"{SECOND}: ")
    assert (net / "artifacts/model/net/v2/manifest.json").exists()


def test_what_fails_for_one_version_is_said_and_done_for_the_others(client: Client, net: Path):
    path = net / "artifacts/model/net/v1/metadata.json"
    path.chmod(0o644)
    path.write_text("{broken")

    done, failed = messages(confirm(client, choose(client, "add_tags", FIRST, SECOND), tags="good"))

    assert done == "Add tags: 1 version."
    assert failed.startswith(f"{FIRST}: ")
    assert path.read_text() == "{broken"
    assert metadata(net, 2)["tags"] == ["good"]


def test_a_page_changes_what_was_changed_on_it_and_nothing_else(client: Client, net: Path):
    place = place_of(net)
    set_alias(place, 1, "mine", at=9.0)
    address = address_of(client)
    data = form_of(client.get(address))
    edit_version(place, 1, VersionEdit(description="by another", add_tags=["by another"]), at=9.0)

    done = client.post(
        address, data | {"tags": "good", "aliases": "best", "stage": "staging", "stage_notes": "looks good"}
    )

    assert done.status_code == 302
    document = metadata(net)
    assert (document["description"], document["tags"]) == ("by another", ["by another", "good"])
    assert (document["lifecycle_stage"], document["stage_transitions"][-1]["notes"]) == ("staging", "looks good")
    assert read_index(place).aliases == {"latest": 2, "mine": 1, "best": 1}
    version = ArtifactVersion.objects.get(number=1)
    assert (version.stage, version.description) == ("staging", "by another")


def test_an_alias_that_is_taken_off_the_page_is_removed(client: Client, net: Path, tick: Tick):
    set_alias(place_of(net), 1, "mine", at=9.0)
    tick()
    address = address_of(client)
    data = form_of(client.get(address))
    assert data["aliases"] == "mine"

    client.post(address, data | {"aliases": ""})

    assert read_index(place_of(net)).aliases == {"latest": 2}


def test_a_description_that_somebody_changed_meanwhile_is_not_overwritten(client: Client, net: Path):
    address = address_of(client)
    data = form_of(client.get(address))
    edit_version(place_of(net), 1, VersionEdit(description="by another"), at=9.0)

    page = client.post(address, data | {"description": "mine"}, follow=True)

    assert "Somebody else has changed the description" in messages(page)[0]
    assert metadata(net)["description"] == "by another"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", "x" * 101),
        ("aliases", "v3"),
        ("aliases", "a/b"),
        ("aliases", "latest"),
        ("stage", "x"),
        ("stage_notes", "why"),
    ],
)
def test_what_is_refused_is_said_beside_the_field(client: Client, net: Path, field: str, value: str):
    address, before = address_of(client), metadata(net)

    page = client.post(address, form_of(client.get(address)) | {field: value})

    assert page.status_code == 200
    assert page.context["adminform"].form.errors[field]
    assert metadata(net) == before


def test_a_page_that_changes_nothing_writes_nothing(client: Client, net: Path):
    address, before = address_of(client), metadata(net)

    client.post(address, form_of(client.get(address)))

    assert metadata(net) == before


def test_what_people_did_survives_a_reindex(client: Client, net: Path, tick: Tick):
    confirm(client, choose(client, "add_tags", FIRST), tags="good")
    address = address_of(client)
    client.post(address, form_of(client.get(address)) | {"description": "d", "aliases": "best", "stage": "staging"})
    choose(client, "move_to_recycle_bin", SECOND)
    before = list(ArtifactVersion.objects.order_by("number").values("number", "tags", "description", "stage"))
    ArtifactVersion.objects.all().delete()
    Artifact.objects.all().delete()

    tick()

    after = list(ArtifactVersion.objects.order_by("number").values("number", "tags", "description", "stage"))
    assert after == before
    assert (listed(client), listed(client, "?deleted=yes")) == (["net:v1"], ["net:v2"])


def test_who_did_it_is_written_down_beside_the_accounts(client: Client, ada: User, net: Path):
    client.force_login(ada)

    confirm(client, choose(client, "add_tags", FIRST), tags="x")
    client.post(address_of(client), form_of(client.get(address_of(client))) | {"description": "d"})
    choose(client, "move_to_recycle_bin", FIRST)
    confirm(client, choose(client, "purge", FIRST, query="?deleted=yes"))

    entries = LogEntry.objects.order_by("pk").values_list("user", "object_id", "object_repr", "action_flag")
    assert list(entries) == [(ada.pk, FIRST, "net:v1", flag) for flag in (2, 2, 2, 3)]


def test_rows_can_be_neither_added_nor_deleted_by_hand(client: Client, ada: User, net: Path):
    client.force_login(ada)

    assert client.post(f"{LIST}add/").status_code == 403
    assert client.post(address_of(client).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert client.post("/admin/artifacts/artifact/add/").status_code == 403
    assert listed(client) == ["net:v2", "net:v1"]


@pytest.mark.parametrize(
    "rows", ["", "x", '["local/../../etc"]', '{"a": 1}', "[[1]]", f'["local/model/net:v{10**12}"]']
)
def test_a_form_that_was_tampered_with_touches_nothing(client: Client, net: Path, rows: str):
    delete_version(place_of(net), 1, by="user", at=9.0)

    answer = client.post(f"{LIST}apply/restore", {"rows": rows, "back": "//evil.example/?deleted=all"})

    assert answer.url == f"{LIST}?deleted=all"
    assert (net / "artifacts/model/net/v1/.deleted").exists()


def test_damage_and_the_page_of_people_stand_on_the_version(client: Client, net: Path, tick: Tick):
    path = net / "artifacts/model/net/v1/manifest.json"
    path.chmod(0o644)
    path.write_text("{broken")
    place_of(net).touch()
    tick()

    assert "damaged" in client.get(LIST).content.decode()
    html = client.get(address_of(client)).content.decode()
    assert "not valid JSON" in html
    assert 'href="/artifacts/net/v1"' in html


def test_artifacts_are_counted_and_lead_to_their_versions(client: Client, net: Path):
    html = client.get("/admin/artifacts/artifact/").content.decode()

    assert f'href="{LIST}?q=net&amp;type=model">2<' in html
    assert listed(client, "?q=net&type=model") == ["net:v2", "net:v1"]


@pytest.mark.parametrize("query", ["", "?q=net", "?type=model", "?deleted=all"])
def test_more_rows_need_no_more_queries(client: Client, net: Path, tick: Tick, query: str):
    def count() -> int:
        with CaptureQueriesContext(connections["index"]) as queries:
            assert client.get(LIST + query).status_code == 200
        return len(queries)

    with_two = count()
    for number in range(40):
        log_version(net, {"w": b"%d" % number}, name=f"net{number}", minute=number)
    tick()

    assert len(listed(client, query)) == 42
    assert count() == with_two <= 12
