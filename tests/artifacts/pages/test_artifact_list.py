"""The table of artifacts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artifacts.models import Artifact, ArtifactAlias, ArtifactVersion
from experiments.models import StorageRoot
from runicorn.artifacts.curation import set_alias
from runicorn.artifacts.removal import delete_version
from tests.artifacts.stored import RUN_ID, log_version, place_of
from tests.experiments.pages.conftest import text_of
from tests.factories import make_root
from tests.run_directories import write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]
Tick = Callable[[], None]


def listed(html: str) -> list[str]:
    return re.findall(r'<th scope="row" class="col-name">.*?>([^<]+)<', html)


def test_a_line_shows_what_is_known_of_an_artifact(root_dir: Path, tick: Tick, page: Page):
    for minute in range(3):
        log_version(root_dir, {"best.pt": b"x" * 2048 * (minute + 1)}, name="vit-s", minute=minute)
    set_alias(place_of(root_dir, "vit-s"), 2, "best", at=9.0)
    write_run(root_dir, f"vision/vit/runs/{RUN_ID}")
    tick()

    html = page("/artifacts")

    row = html[html.index("<tbody") :]
    for shown in ("vit-s", "model", "v3", "6.00 KB", "best v2", RUN_ID, "1–1 of 1 artifact"):
        assert shown in text_of(row), shown
    assert f'href="/runs/{RUN_ID}"' in row
    assert "latest" not in text_of(row)  # the column of the latest version says it


def test_a_run_that_is_not_there_is_named_without_a_link(net: Path, page: Page):
    html = page("/artifacts")

    assert RUN_ID in html
    assert f"/runs/{RUN_ID}" not in html


def test_the_newest_change_comes_first_and_heads_sort_both_ways(root_dir: Path, tick: Tick, page: Page):
    for minute, (name, type_, size) in enumerate([("b", "model", 30), ("a", "dataset", 10), ("c", "code", 20)]):
        log_version(root_dir, {"f": b"x" * size}, name=name, type=type_, minute=minute)
    log_version(root_dir, {"f": b"x"}, name="a", type="dataset", minute=1)
    tick()

    found = {
        sort: listed(page(f"/artifacts?sort={sort}")) for sort in ("", "updated", "name", "-name", "type", "-size")
    }

    assert found == {
        "": ["c", "a", "b"],
        "updated": ["b", "a", "c"],
        "name": ["a", "b", "c"],
        "-name": ["c", "b", "a"],
        "type": ["c", "a", "b"],
        "-size": ["b", "c", "a"],
    }
    assert listed(page("/artifacts?sort=-versions"))[0] == "a"
    assert 'aria-sort="ascending"' in page("/artifacts?sort=name")


def test_it_is_narrowed_by_type_and_by_words_of_name_alias_tag_and_description(root_dir: Path, tick: Tick, page: Page):
    log_version(root_dir, {"f": b"1"}, name="digits", type="dataset", tags=("raw-测试",))
    log_version(root_dir, {"f": b"2"}, name="digits-net", description="Two layers")
    set_alias(place_of(root_dir, "digits-net"), 1, "champion", at=9.0)
    tick()

    def found(query: str) -> list[str]:
        return sorted(listed(page(f"/artifacts?{query}")))

    assert found("q=DIGITS") == ["digits", "digits-net"]
    assert found("type=model") == ["digits-net"]
    assert found("q=champion+layers") == ["digits-net"]
    assert found("q=测试") == ["digits"]
    assert found("q=100%25") == []
    text = text_of(page("/artifacts?q=digits&type=model"))
    assert "All 2" in text
    assert "dataset 1" in text


def test_what_is_only_in_the_recycle_bin_is_shown_on_request(net: Path, tick: Tick, page: Page):
    for number in (1, 2):
        delete_version(place_of(net), number, by="user", at=9.0)
    tick()

    assert listed(page("/artifacts")) == []
    assert "No artifacts yet" in page("/artifacts")
    html = page("/artifacts?deleted=1")
    assert listed(html) == ["net"]
    assert "all deleted" in html


def test_names_that_several_artifacts_have_say_which_root_they_mean(net: Path, tick: Tick, page: Page):
    other = make_root("gpu1", path="/data/gpu1")
    Artifact.objects.create(root=other, type="model", name="net", created_at=1, updated_at=1, latest_version=1)

    html = page("/artifacts")

    assert listed(html) == ["net", "net"]
    assert "gpu1" in html


@pytest.mark.parametrize(("query", "word"), [("type=picture", "picture"), ("sort=colour", "colour")])
def test_an_unknown_choice_is_refused_with_what_is_possible(client: Client, query: str, word: str):
    response = client.get(f"/artifacts?{query}")

    assert response.status_code == 400
    assert word in response.content.decode()
    assert "choose one of" in response.content.decode()


def test_an_empty_root_shows_code_and_where_it_lies_and_no_match_the_way_back(root: StorageRoot, page: Page):
    html = page("/artifacts")

    assert "No artifacts yet" in html
    assert "log_artifact" in html
    assert root.path in html
    assert "No artifact matches" in page("/artifacts?q=nothing")


def test_the_fragment_is_that_part_of_the_page(net: Path, page: Page):
    fragment = page("/artifacts?q=net", fragment=True).strip()

    assert fragment.startswith("<section")
    assert fragment in page("/artifacts?q=net")


def fill(root: StorageRoot, first: int, last: int, *, versions: int = 2) -> None:
    artifacts = Artifact.objects.bulk_create(
        Artifact(
            root=root,
            type="model",
            name=f"net-{number}",
            created_at=number,
            updated_at=number,
            version_count=versions,
            latest_version=versions,
            search_text=f"model net-{number}",
        )
        for number in range(first, last)
    )
    ArtifactAlias.objects.bulk_create(
        ArtifactAlias(artifact=artifact, alias="best", number=1) for artifact in artifacts
    )
    ArtifactVersion.objects.bulk_create(
        ArtifactVersion(
            artifact=artifact,
            number=number + 1,
            folder=f"{artifact.path}/v{number + 1}",
            status="ready",
            created_at=number,
            updated_at=number,
            created_by_run=RUN_ID,
            size_bytes=1,
            num_files=1,
            num_references=0,
            stage="experimental",
        )
        for artifact in artifacts
        for number in range(versions)
    )


def test_pages_of_fifty_are_links_that_keep_the_filters(root: StorageRoot, page: Page):
    fill(root, 0, 120)

    html = page("/artifacts?type=model&sort=name&page=2")

    assert len(listed(html)) == 50
    assert "51–100 of 120 artifacts" in text_of(html)
    assert 'href="?type=model&amp;sort=name&amp;page=3"' in html
    assert len(listed(page("/artifacts?page=999"))) == 20  # the last page


def test_the_number_of_queries_does_not_grow_with_the_rows(root: StorageRoot, client: Client):
    counts = []
    for first, last in ((0, 2), (2, 40)):
        fill(root, first, last)
        with CaptureQueriesContext(connections["index"]) as queries:
            client.get("/artifacts?q=net")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 10


def test_names_from_files_are_text_and_never_markup(root: StorageRoot, page: Page):
    evil = "<img src=x>"
    Artifact.objects.create(root=root, type=evil, name=evil, created_at=1, updated_at=1, latest_version=1)

    assert "<img" not in page("/artifacts").replace('<img src="/static', "")


def test_the_page_is_chinese_for_who_asks_for_it(net: Path, page: Page):
    text = text_of(page("/artifacts", language="zh-CN"))

    for word in ("制品", "模型", "最新版本", "别名", "第 1–1 个，共 1 个制品"):
        assert word in text, word
