"""What people do on the page of a version: the files and the rows afterwards, and what the page says."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client

from artifacts.models import Artifact, ArtifactAlias, ArtifactVersion
from experiments.models import StorageRoot
from runicorn.artifacts.curation import set_alias, text_mark
from runicorn.artifacts.removal import delete_version
from runicorn.storage import layout
from runicorn.storage.file_lock import file_lock
from tests.artifacts.stored import log_version, place_of
from tests.experiments.pages.conftest import text_of
from tests.server import running_server

pytestmark = pytest.mark.django_db(databases=["default", "index"])
Tick = Callable[[], None]

V1, V2 = "/artifacts/net/v1", "/artifacts/net/v2"
#: Every address that changes something, with a form that could be carried out.
ACTIONS = {
    "edit": {"description": "changed"},
    "stage": {"to_stage": "staging"},
    "alias": {"alias": "stable"},
    "alias/remove": {"alias": "best"},
    "delete": {},
    "restore": {},
    "purge": {"confirmed": "1"},
}


def document(root: Path, number: int, name: str = "metadata.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place_of(root).version_folder(number) / name).read_bytes())
    return found


def aliases(root: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((place_of(root).home / "versions.json").read_bytes())["aliases"]
    assert dict(ArtifactAlias.objects.values_list("alias", "number")) == found
    return found


def row(number: int = 1) -> ArtifactVersion:
    return ArtifactVersion.objects.get(artifact__name="net", artifact__type="model", number=number)


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    """What a browser would send of that form if nobody touched it: every line's end is CRLF."""
    html = client.get(address).content.decode()
    form = re.search(rf'<form[^>]*action="{address}/{action}\?.*?</form>', html, re.DOTALL)[0]
    values = {
        re.search(r'name="([^"]+)"', field)[1]: unescape((re.search(r'value="([^"]*)"', field) or ["", ""])[1])
        for field in re.findall(r"<input[^>]*>", form)
    }
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        values[name] = unescape(text).removeprefix("\r\n").replace("\r\n", "\n").replace("\n", "\r\n")
    return values


def notices(response: HttpResponse) -> str:
    found = re.findall(r'<p class="(?:notice[^"]*|field-error)"[^>]*>(.*?)</p>', response.content.decode(), re.DOTALL)
    return unescape(text_of(" ".join(found)))


def test_description_and_tags_are_saved_to_the_file_and_the_row(net: Path, client: Client):
    form = form_of(client, V1, "edit") | {"description": "Two <b>layers</b>\r\nof 测试 ", "tags": " ship, 测试,, ship"}

    answer = client.post(f"{V1}/edit", form | {"tab": "metadata"}, follow=True)

    assert answer.redirect_chain == [(f"{V1}/metadata", 302)]
    assert notices(answer) == "net:v1 saved."
    saved = document(net, 1)
    assert (saved["description"], saved["tags"]) == ("Two <b>layers</b>\nof 测试", ["ship", "测试"])
    assert (row().description, row().tags) == ("Two <b>layers</b>\nof 测试", ["ship", "测试"])
    assert "<b>layers" not in answer.content.decode()
    assert document(net, 2)["description"] == ""

    client.post(f"{V1}/edit", form_of(client, V1, "edit") | {"description": "", "tags": ""})
    assert (document(net, 1)["description"], row().tags) == ("", [])


def test_two_who_edit_at_once_keep_what_each_did(net: Path, client: Client):
    client.post(f"{V1}/edit", form_of(client, V1, "edit") | {"description": "a\r\nb", "tags": "old, kept"})
    first, second = form_of(client, V1, "edit"), form_of(client, V1, "edit")

    client.post(f"{V1}/edit", first | {"tags": "kept, first", "description": "by the first"})
    answer = client.post(f"{V1}/edit", second | {"tags": "old, kept, second"})

    assert answer.status_code == 302
    assert document(net, 1)["tags"] == ["kept", "first", "second"]
    assert document(net, 1)["description"] == "by the first"


def test_a_description_that_somebody_else_changed_is_shown_before_it_is_replaced(net: Path, client: Client):
    first, second = form_of(client, V1, "edit"), form_of(client, V1, "edit")
    client.post(f"{V1}/edit", first | {"description": "by the first"})

    refused = client.post(f"{V1}/edit", second | {"description": "by the second", "tags": "mine"})

    assert refused.status_code == 409
    assert "Somebody else has changed the description of net:v1; nothing was saved." in notices(refused)
    assert "If you save again, yours replaces it." in notices(refused)
    html = refused.content.decode()
    assert "by the first</p>" in html
    assert "by the second</textarea>" in html
    assert document(net, 1)["description"] == "by the first"
    assert document(net, 1)["tags"] == []
    seen = re.search(r'name="description_seen" value="(\w+)"', html)[1]
    again = {"description": "by the second", "tags": "mine", "description_seen": seen}
    assert client.post(f"{V1}/edit", again).status_code == 302
    assert (document(net, 1)["description"], document(net, 1)["tags"]) == ("by the second", ["mine"])


def test_what_was_typed_stays_when_it_is_refused_and_a_description_that_was_not_touched_is_never_replaced(
    net: Path, client: Client
):
    first, second = form_of(client, V1, "edit"), form_of(client, V1, "edit")
    client.post(f"{V1}/edit", first | {"description": "by the first"})

    refused = client.post(f"{V1}/edit", second | {"tags": "x" * 101})

    assert (refused.status_code, row().tags) == (400, [])
    assert "has 101 characters; at most 100 are kept." in notices(refused)
    html = refused.content.decode()
    assert f'value="{"x" * 101}"' in html
    assert re.search(r'<details class="actions"[^>]* open>', html)
    assert f'hx-get="{V1}?type=model&amp;root=local"' in html  # what is fetched on a live change is the page
    client.post(f"{V1}/edit", second | {"tags": "x"})
    assert (document(net, 1)["description"], document(net, 1)["tags"]) == ("by the first", ["x"])


def test_a_stage_is_moved_with_its_reason_and_the_alias_production_follows(net: Path, client: Client):
    for number, stage in ((1, "staging"), (1, "production"), (2, "staging"), (2, "production")):
        answer = client.post(
            f"/artifacts/net/v{number}/stage", {"to_stage": stage, "notes": "good\r\n<i>"}, follow=True
        )
        assert notices(answer) == f"net:v{number} moved to {stage}."

    assert aliases(net) == {"latest": 2, "production": 2}
    assert (document(net, 2)["lifecycle_stage"], row(2).stage) == ("production", "production")
    move = document(net, 1)["stage_transitions"][-1]
    assert (move["from_stage"], move["to_stage"], move["notes"]) == ("staging", "production", "good\r\n<i>")
    assert "good\n&lt;i&gt;" in client.get(f"{V1}/metadata").content.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("production", "Invalid transition from experimental to production"),
        ("shipped<b>", "Invalid target stage: shipped<b>"),
        ("", "This field is required."),
    ],
)
def test_a_stage_that_cannot_be_entered_is_refused_and_the_reason_stays_typed(net, client: Client, stage, reason):
    answer = client.post(f"{V1}/stage", {"to_stage": stage, "notes": "my reason"})

    assert answer.status_code == 400
    assert reason in notices(answer)
    assert "my reason</textarea>" in answer.content.decode()
    assert row().stage == "experimental"
    assert "stage_transitions" not in document(net, 1)


def test_the_form_offers_only_the_stages_that_can_be_entered(net: Path, client: Client):
    html = client.get(V1).content.decode()

    assert re.findall(r'<option value="(\w+)">', html) == ["staging", "archived"]


def test_an_alias_is_set_moved_and_removed(net: Path, client: Client):
    for number in (1, 2):
        answer = client.post(f"/artifacts/net/v{number}/alias", {"alias": " best "}, follow=True)
        assert notices(answer) == f"best names net:v{number}."
        assert aliases(net) == {"latest": 2, "best": number}

    answer = client.post(f"{V2}/alias/remove", {"alias": "best"}, follow=True)

    assert notices(answer) == "best was taken from net:v2."
    assert aliases(net) == {"latest": 2}


def test_latest_is_neither_set_nor_removed(net: Path, client: Client):
    refused = client.post(f"{V1}/alias", {"alias": "latest"})
    kept = client.post(f"{V2}/alias/remove", {"alias": "latest"}, follow=True)

    assert (refused.status_code, kept.status_code) == (400, 200)
    assert notices(refused) == "The alias 'latest' always names the newest version; it cannot be set."
    assert notices(kept) == "The alias 'latest' always names the newest version; it cannot be removed."
    assert 'value="latest"' in refused.content.decode()
    assert "Remove the alias latest" not in kept.content.decode()
    assert aliases(net) == {"latest": 2}


@pytest.mark.parametrize(
    "alias", ["v3", "12", "a b", "../../etc", "a:b", "", "x" * 101, "x" * 100_000, "nul\0", "<script>", "\ud800"]
)
def test_an_alias_that_cannot_be_is_refused_in_words(net: Path, client: Client, alias: str):
    body = urlencode({"alias": alias}, errors="surrogatepass"), "application/x-www-form-urlencoded"

    answer = client.post(f"{V1}/alias", *body)

    assert answer.status_code in (302, 400)  # the lone surrogate comes as another character
    assert answer.status_code == 302 or notices(answer)
    assert "<script>" not in answer.content.decode()
    assert client.post(f"{V1}/alias/remove", *body, follow=True).status_code == 200
    assert aliases(net) == {"latest": 2}


def test_an_alias_that_has_moved_meanwhile_is_not_removed_from_where_it_is(net: Path, client: Client):
    set_alias(place_of(net), 2, "best", at=9.0)

    answer = client.post(f"{V1}/alias/remove", {"alias": "best"}, follow=True)

    assert notices(answer) == "The alias 'best' names v2 by now; it was left there."
    assert aliases(net) == {"latest": 2, "best": 2}
    gone = client.post(f"{V1}/alias/remove", {"alias": "nobody"}, follow=True)
    assert notices(gone) == "net has no alias 'nobody'."


def test_what_many_do_at_once_is_all_there(tmp_path: Path):
    people = [f"p{number}" for number in range(6)]

    def curate(person: str) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            client.get(V1)
            form = {"csrfmiddlewaretoken": client.cookies["runicorn_csrf"], "alias": person, "tags": person}
            form["description_seen"] = text_mark("")
            answers.extend(client.post(f"{V1}/{action}", data=form).status_code for action in ("alias", "edit"))

    answers: list[int] = []
    with running_server(tmp_path) as server:
        log_version(server.storage, {"w": b"1"})
        server.scan()
        threads = [threading.Thread(target=curate, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        html = httpx.get(f"{server.url}/artifacts/net").text

    assert answers == [302] * 2 * len(people)
    assert document(server.storage, 1, "../versions.json")["aliases"] == {"latest": 1} | dict.fromkeys(people, 1)
    assert sorted(document(server.storage, 1)["tags"]) == people
    for person in people:
        assert html.count(f'<span class="run-tag">{person}</span>') == 2  # in the head and in the table
        assert f'title="{person}" href="/artifacts?q={person}"' in html


def test_a_version_goes_into_the_recycle_bin_and_comes_back(net: Path, client: Client):
    answer = client.post(f"{V2}/delete", form_of(client, V2, "delete"), follow=True)

    assert answer.redirect_chain == [(V2, 302)]
    assert "net:v2 is in the recycle bin." in notices(answer)
    assert document(net, 2, ".deleted")["deleted_by"] == "user"
    assert row(2).is_deleted
    assert aliases(net) == {"latest": 1}
    assert "Move to the recycle bin" not in answer.content.decode()

    answer = client.post(f"{V2}/restore", follow=True)
    assert notices(answer) == "net:v2 restored."
    assert not (place_of(net).version_folder(2) / ".deleted").exists()
    assert not row(2).is_deleted
    assert aliases(net) == {"latest": 2}


def test_deleting_for_ever_says_what_goes_and_what_is_shared_and_then_what_was_freed(
    root_dir: Path, tick: Tick, client: Client
):
    log_version(root_dir, {"own": b"o" * 2048, "young": b"y" * 1024, "both": b"b" * 3072})
    log_version(root_dir, {"both": b"b" * 3072}, minute=1)
    place = place_of(root_dir)
    set_alias(place, 1, "best", at=9.0)
    delete_version(place, 1, by="user", at=9.0)
    folder = place.version_folder(1)
    for name in ("own", "both"):
        os.utime(folder / "files" / name, (1.0, 1.0))
    tick()

    asked = client.post(f"{V1}/purge")

    text = text_of(asked.content.decode())
    assert "net:v1 and its 3 files are deleted for ever, and 3.00 KB on disk with them." in text
    for shown in ("Freed at once 2.00 KB", "Freed later 1.00 KB", "Shared 3.00 KB", "best They go with it."):
        assert shown in text, shown
    assert folder.is_dir()
    (sent,) = re.findall(r'action="(/artifacts[^"]+/purge[^"]*)"', asked.content.decode())
    done = client.post(unescape(sent), {"confirmed": "1"}, follow=True)

    assert done.redirect_chain == [("/artifacts/net", 302)]
    assert notices(done) == (
        "net:v1 deleted for ever: 2.00 KB freed. 1.00 KB more is freed by gc in a day. "
        "3.00 KB stays: other versions have it, too."
    )
    assert not folder.exists()
    assert list(ArtifactVersion.objects.values_list("number", flat=True)) == [2]
    assert (place.version_folder(2) / "files" / "both").read_bytes() == b"b" * 3072
    assert aliases(root_dir) == {"latest": 2}


def test_after_the_last_version_the_list_of_artifacts_says_what_was_freed(root_dir: Path, tick: Tick, client: Client):
    log_version(root_dir, {"w": b"1"})
    delete_version(place_of(root_dir), 1, by="user", at=9.0)
    tick()

    done = client.post(f"{V1}/purge", {"confirmed": "1"}, follow=True)

    assert done.redirect_chain == [("/artifacts", 302)]
    assert "net:v1 deleted for ever" in notices(done)
    assert not Artifact.objects.exists()
    assert client.post(f"{V1}/purge", {"confirmed": "1"}).status_code == 404


@pytest.mark.parametrize("form", [{}, {"confirmed": "1"}])
def test_what_is_not_in_the_recycle_bin_is_not_deleted_for_ever(net: Path, client: Client, form: dict[str, str]):
    answer = client.post(f"{V1}/purge", form, follow=True)

    assert "net:v1 is not in the recycle bin" in notices(answer)
    assert (place_of(net).version_folder(1) / "files" / "best.pt").read_bytes() == b"weights 0"
    assert row().number == 1


def test_a_version_that_was_restored_behind_the_index_is_not_deleted_for_ever(net: Path, tick: Tick, client: Client):
    delete_version(place_of(net), 1, by="user", at=9.0)
    tick()
    (place_of(net).version_folder(1) / ".deleted").unlink()  # the mirror has not seen it

    answer = client.post(f"{V1}/purge", {"confirmed": "1"}, follow=True)

    assert "net:v1 is not in the recycle bin; nothing was removed." in notices(answer)
    assert document(net, 1)["version"] == 1
    assert not row().is_deleted


def test_one_that_is_gone_behind_the_index_leads_to_what_is_left(net: Path, client: Client):
    folder = place_of(net).version_folder(2)
    folder.rename(net / "elsewhere")

    answer = client.post(f"{V2}/delete", follow=True)

    assert answer.redirect_chain == [("/artifacts/net", 302)]
    assert "Version not found: net:v2" in notices(answer)
    assert list(ArtifactVersion.objects.values_list("number", flat=True)) == [1]


def test_a_name_of_several_types_is_acted_on_as_its_page_says(root_dir: Path, tick: Tick, client: Client):
    for type_ in ("model", "dataset"):
        log_version(root_dir, {"w": b"1"}, type=type_)
    tick()
    html = client.get(f"{V1}?type=dataset").content.decode()
    (address,) = {unescape(found) for found in re.findall(r'action="([^"]+/delete\?[^"]+)"', html)}

    answer = client.post(address, follow=True)

    assert address == f"{V1}/delete?type=dataset&root=local"
    assert answer.redirect_chain == [(f"{V1}?type=dataset&root=local", 302)]
    assert (place_of(root_dir, type="dataset").version_folder(1) / ".deleted").exists()
    assert not (place_of(root_dir).version_folder(1) / ".deleted").exists()
    assert client.post(f"{V1}/delete").status_code == 409  # which one?
    assert "choose one with" in client.post(f"{V1}/delete").content.decode()


def test_a_form_means_the_artifact_that_was_shown_also_when_another_of_its_name_comes(
    net: Path, root: StorageRoot, client: Client
):
    html = client.get(V1).content.decode()

    actions = {unescape(found) for found in re.findall(r'<form[^>]*method="post" action="(/artifacts[^"]+)"', html)}

    assert actions == {f"{V1}/{action}?type=model&root=local" for action in ("edit", "stage", "alias", "delete")}


@pytest.mark.parametrize("action", ACTIONS)
def test_only_forms_of_the_page_change_something_and_only_what_is_there(net: Path, client: Client, action: str):
    client.post(f"{V1}/alias", {"alias": "best"})
    before = (document(net, 1), aliases(net))
    strict = Client(enforce_csrf_checks=True)

    assert client.get(f"{V1}/{action}").status_code == 405
    assert strict.post(f"{V1}/{action}", ACTIONS[action]).status_code == 403
    for address in ("/artifacts/nope/v1", "/artifacts/net/v9", f"/artifacts/net/v{10**30}", f"{V1}?type=code"):
        path, _, query = address.partition("?")
        assert client.post(f"{path}/{action}?{query}", ACTIONS[action]).status_code == 404, address
    assert (document(net, 1), aliases(net)) == before


@pytest.mark.parametrize("action", ["edit", "stage"])
def test_a_broken_document_is_told_of_on_the_page_and_left_as_it_is(net: Path, client: Client, action: str):
    path = place_of(net).version_folder(1) / "metadata.json"
    path.chmod(0o644)
    path.write_text("{", encoding="utf-8")

    answer = client.post(f"{V1}/{action}", ACTIONS[action])

    assert answer.status_code == 409
    assert "Nothing was changed; mend that file first." in notices(answer)
    assert path.read_text(encoding="utf-8") == "{"


def test_what_somebody_else_is_changing_is_told_of_and_what_was_typed_stays(net: Path, client: Client):
    with file_lock(place_of(net).home / layout.ARTIFACT_LOCK, timeout_s=0):
        answer = client.post(f"{V1}/alias", {"alias": "late"})

    assert answer.status_code == 409
    assert "Somebody else has been changing net for 5 s; try again" in notices(answer)
    assert 'value="late"' in answer.content.decode()
    assert client.post(f"{V1}/alias", {"alias": "late"}).status_code == 302


def test_text_of_any_kind_is_refused_in_words_or_saved_as_text(net: Path, client: Client):
    for hostile in ("nul\0", "x" * 20_001, "</textarea><script>alert(1)</script>"):
        form = form_of(client, V1, "edit") | {"description": hostile, "tags": '"><img src=x>'}
        answer = client.post(f"{V1}/edit", form, follow=True)
        assert answer.status_code in (200, 400)
        assert notices(answer)
        assert "<script>alert" not in answer.content.decode()
        assert "<img src=x" not in answer.content.decode()

    assert document(net, 1)["description"] == "</textarea><script>alert(1)</script>"
    assert client.post(f"{V1}/edit", {"description_seen": "nonsense"}).status_code == 409
    assert document(net, 1)["tags"] == ['"><img src=x>']


def test_what_is_said_is_chinese_for_who_asks_for_it(net: Path, client: Client):
    chinese = {"Accept-Language": "zh-CN"}

    answer = client.post(f"{V1}/delete", headers=chinese, follow=True)

    assert "net:v1 已移到回收站。" in notices(answer)
    text = text_of(client.post(f"{V1}/purge", headers=chinese).content.decode())
    assert "net:v1 及其 2 个文件将被永久删除" in text
    for word in ("立即释放", "稍后释放", "共享", "永久删除", "取消"):
        assert word in text, word
