"""The tab of a run's page that says which versions it created and used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artifacts.queries import run_tab
from experiments.models import StorageRoot
from runicorn.artifacts.curation import StageMove, move_stage, set_alias
from runicorn.artifacts.removal import delete_version, purge_version
from tests.artifacts.stored import log_version, new_run_id, place_of, write_lineage
from tests.experiments.pages.conftest import text_of

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]
Tick = Callable[[], None]


def lines(html: str) -> list[str]:
    return [text_of(line) for line in re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", html, re.DOTALL)]


def test_it_lists_what_the_run_created_and_used_with_links(root_dir: Path, tick: Tick, page: Page):
    write_lineage(root_dir, new_run_id(), made=["data:1"])
    run_id = new_run_id()
    write_lineage(root_dir, run_id, used=["data:1"], made=["net:1", "head:1"])
    move_stage(place_of(root_dir), 1, StageMove("staging"), at=9.0)
    set_alias(place_of(root_dir), 1, "best", at=9.0)
    tick()

    html = page(f"/runs/{run_id}/artifacts")

    found = lines(html)
    assert [line.split()[:3] for line in found] == [
        ["net", "v1", "model"],
        ["head", "v1", "model"],
        ["data", "v1", "model"],
    ]
    for shown in ("5.00 B", "staging", "best", "latest"):
        assert shown in found[0], shown
    assert re.findall(r'data-open href="([^"]+)"', html) == [
        f"/artifacts/{name}/v1" for name in ("net", "head", "data")
    ]
    text = text_of(html)
    assert (
        text.index("Created by this run 2")
        < text.index("net v1")
        < text.index("Used by this run 1")
        < text.index("data v1")
    )


def test_every_tab_of_the_run_links_to_it_without_a_script(root_dir: Path, tick: Tick, page: Page):
    run_id = new_run_id()
    write_lineage(root_dir, run_id)
    tick()

    for tab in ("", "/overview", "/logs", "/media", "/artifacts"):
        assert f'<a href="/runs/{run_id}/artifacts"' in page(f"/runs/{run_id}{tab}")
    html = page(f"/runs/{run_id}/artifacts")
    assert 'aria-current="page">Artifacts' in html
    assert "This run created and used no artifacts" in html


def test_what_is_deleted_says_so_and_what_is_gone_is_what_the_run_recorded(root_dir: Path, tick: Tick, page: Page):
    run_id = new_run_id()
    write_lineage(root_dir, run_id, made=["net:1", "gone:1"], used=["never:3"])
    delete_version(place_of(root_dir), 1, by="user", at=9.0)
    purge_version(place_of(root_dir, "gone"), 1, at=9.0)
    tick()

    html = page(f"/runs/{run_id}/artifacts")

    deleted, gone, never = lines(html)
    assert "in the recycle bin" in deleted
    assert gone.startswith("gone v1 · not here model 7.00 B")
    assert never.startswith("never v3 · not here")
    assert re.findall(r'data-open href="([^"]+)"', html) == ["/artifacts/net/v1"]


def test_a_name_of_several_types_leads_to_the_one_that_is_meant(root_dir: Path, tick: Tick, page: Page):
    run_id = new_run_id()
    write_lineage(root_dir, run_id, made=["net:1"])
    log_version(root_dir, {"w": b"1"}, type="dataset")
    tick()

    assert 'href="/artifacts/net/v1?type=model&amp;root=local"' in page(f"/runs/{run_id}/artifacts")


def test_the_fragment_is_that_part_of_the_page(root_dir: Path, tick: Tick, page: Page):
    run_id = new_run_id()
    write_lineage(root_dir, run_id, made=["net:1"])
    tick()

    fragment = page(f"/runs/{run_id}/artifacts", fragment=True).strip()

    assert fragment.startswith('<div id="run-tab"')
    assert fragment in page(f"/runs/{run_id}/artifacts")


def test_more_artifacts_need_no_more_queries_and_very_many_are_counted(
    root_dir: Path, tick: Tick, client: Client, monkeypatch: pytest.MonkeyPatch
):
    runs = {count: new_run_id() for count in (2, 40)}
    for count, run_id in runs.items():
        made = [f"net-{count}-{number}:1" for number in range(count)]
        write_lineage(root_dir, run_id, made=made, used=made)
    tick()

    def ask(count: int) -> tuple[int, str]:
        with CaptureQueriesContext(connections["index"]) as queries:
            html = client.get(f"/runs/{runs[count]}/artifacts").content.decode()
        return len(queries), html

    assert ask(2)[0] == ask(40)[0] <= 24
    monkeypatch.setattr(run_tab, "MAX_LINES", 30)
    html = ask(40)[1]
    assert len(lines(html)) == 60
    assert text_of(html).count("10 more are not shown.") == 2
    assert "Created by this run 40" in text_of(html)


def test_an_unknown_run_is_not_found_and_names_are_text(root: StorageRoot, root_dir: Path, tick: Tick, client: Client):
    run_id = new_run_id()
    write_lineage(root_dir, run_id, used=["<img src=x>:1"])
    tick()

    assert client.get("/runs/nope/artifacts").status_code == 404
    html = client.get(f"/runs/{run_id}/artifacts").content.decode()
    assert "&lt;img src=x&gt;" in html
    assert "<img src=x" not in html


def test_it_is_chinese_for_who_asks_for_it(root_dir: Path, tick: Tick, page: Page):
    run_id = new_run_id()
    write_lineage(root_dir, run_id, made=["net:1"])
    tick()

    text = text_of(page(f"/runs/{run_id}/artifacts", language="zh-CN"))

    for word in ("此运行创建的", "此运行使用的", "此运行没有使用制品。", "时间", "别名"):
        assert word in text, word
