"""The lineage tab: the graph of a version as a picture and as indented lists."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artifacts.queries import lineage_page
from runicorn.artifacts.removal import delete_version, purge_version
from tests.artifacts.stored import log_version, new_run_id, place_of, write_lineage
from tests.experiments.pages.conftest import text_of
from tests.run_directories import write_json

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]
Tick = Callable[[], None]


@pytest.fixture
def story(root_dir: Path, tick: Tick) -> dict[str, str]:
    """data:1 → train → net:1 → export → onnx:1, and net:1 → report, which makes nothing. The runs' ids."""
    runs = {name: new_run_id() for name in ("prepare", "train", "export", "report")}
    write_lineage(root_dir, runs["prepare"], made=["data:1"])
    write_lineage(root_dir, runs["train"], used=["data:1"], made=["net:1"])
    write_lineage(root_dir, runs["export"], used=["net:1"], made=["onnx:1"])
    write_lineage(root_dir, runs["report"], used=["net:1"])
    tick()
    return runs


def boxes(html: str) -> dict[str, tuple[int, int]]:
    """The title of each box of the picture, and its left upper corner."""
    found = re.findall(r'<foreignObject x="(\d+)" y="(\d+)".*?class="lineage-title">([^<]+)<', html, re.DOTALL)
    return {title: (int(x), int(y)) for x, y, title in found}


def listed(html: str, title: str) -> str:
    """What a reader is told under a heading of the lists."""
    return text_of(re.search(rf"{title}</h2>(.*?)</section>", html, re.DOTALL)[1])  # type: ignore[index]


def test_origins_stand_on_the_left_and_results_on_the_right(story: dict[str, str], page: Page):
    html = page("/artifacts/net/v1/lineage")

    places = boxes(html)
    order = [["prepare"], ["data:v1"], ["train"], ["net:v1"], ["export", "report"], ["onnx:v1"]]
    columns = [{places[story.get(name, name)][0] for name in names} for names in order]
    assert columns == [{8 + 264 * column} for column in range(6)]
    assert html.count('<path class="lineage-line"') == 6
    assert places[story["export"]][1] != places[story["report"]][1]


def test_versions_lead_to_their_lineage_and_runs_to_their_pages(story: dict[str, str], page: Page, client: Client):
    html = page("/artifacts/net/v1/lineage")

    assert 'href="/artifacts/data/v1/lineage"' in html
    assert f'href="/runs/{story["train"]}"' in html
    assert re.search(r'<a href="/artifacts/net/v1/lineage" class="lineage-node is-start" aria-current="true"', html)
    for address in set(re.findall(r'href="(/(?:artifacts|runs)/[^"]+)"', html)):
        assert client.get(address).status_code == 200, address


def test_the_same_is_told_as_lists(story: dict[str, str], page: Page):
    html = page("/artifacts/net/v1/lineage")

    origins, results = listed(html, "Comes from"), listed(html, "Led to")
    assert re.findall(r"[0-9]{8}_\S+|\w+:v1", origins) == [story["train"], "data:v1", story["prepare"]]
    assert set(re.findall(r"[0-9]{8}_\S+|\w+:v1", results)) == {story["export"], "onnx:v1", story["report"]}
    assert results.index(story["export"]) < results.index("onnx:v1")
    assert "vision / vit" in origins


def test_depth_is_chosen_and_kept_from_version_to_version(root_dir: Path, tick: Tick, page: Page):
    for number in range(5):
        write_lineage(root_dir, new_run_id(), used=[f"v{number}:1"] if number else [], made=[f"v{number + 1}:1"])
    tick()

    one = page("/artifacts/v1/v1/lineage?depth=1")

    assert [title for title in boxes(one) if ":" in title] == ["v1:v1", "v2:v1"]
    assert "1 generation of versions each way" in text_of(one)
    assert 'href="/artifacts/v2/v1/lineage?depth=1"' in one
    assert 'href="/artifacts/v1/v1/lineage?depth=2"' in one
    assert "depth-fewer" not in one
    assert "depth-more" not in page("/artifacts/v1/v1/lineage?depth=99")
    assert 'href="/artifacts/v1/v1/metadata"' in one  # other tabs have no depth


@pytest.mark.parametrize("depth", ["0", "-1", "x", "", "9" * 30, "٣"])
def test_any_depth_gives_a_page(story: dict[str, str], page: Page, depth: str):
    assert "net:v1" in boxes(page(f"/artifacts/net/v1/lineage?depth={depth}"))


def test_what_only_records_name_has_a_box_and_no_link(story: dict[str, str], root_dir: Path, tick: Tick, page: Page):
    purge_version(place_of(root_dir, "data"), 1, at=9.0)
    delete_version(place_of(root_dir, "onnx"), 1, by="user", at=9.0)
    shutil.rmtree(root_dir / "vision/vit/runs" / story["train"])
    write_json(root_dir / "vision/vit/runs" / story["report"] / ".deleted", {"deleted_at": 9.0})
    (root_dir / "vision/vit/runs").touch()
    tick()

    html = page("/artifacts/net/v1/lineage")

    # of the run that is gone, the version still knows that it made it
    assert f"{story['train']} · not here" in listed(html, "Comes from")
    assert "onnx:v1 model · 5.00 B · in the recycle bin" in listed(html, "Led to")
    assert f"{story['report']} vision / vit · in the recycle bin" in listed(html, "Led to")
    assert f'href="/runs/{story["train"]}"' not in html
    assert f'href="/runs/{story["report"]}"' not in html
    assert 'href="/artifacts/onnx/v1/lineage"' in html
    html = page("/artifacts/onnx/v1/lineage")
    assert "net:v1" in listed(html, "Comes from")


def test_a_version_that_nobody_used_says_how_lineage_comes_about(root_dir: Path, tick: Tick, page: Page):
    log_version(root_dir, {"w": b"1"}, run_id="")
    tick()

    html = page("/artifacts/net/v1/lineage")

    assert "use_artifact" in html
    assert '<svg class="lineage-graph"' not in html


def test_a_cycle_ends_and_says_so(root_dir: Path, tick: Tick, page: Page):
    write_lineage(root_dir, new_run_id(), used=["b:1"], made=["a:1"])
    write_lineage(root_dir, new_run_id(), used=["a:1"], made=["b:1"])
    tick()

    html = page("/artifacts/a/v1/lineage?depth=10")

    assert sorted(title for title in boxes(html) if ":" in title) == ["a:v1", "b:v1"]
    assert "(as above)" in listed(html, "Comes from")


def test_of_a_hub_the_nearest_are_drawn_and_the_rest_is_counted(
    root_dir: Path, tick: Tick, page: Page, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lineage_page, "MAX_NODES", 10)
    write_lineage(root_dir, new_run_id(), made=["net:1"])
    for _ in range(20):
        write_lineage(root_dir, new_run_id(), used=["net:1"])
    tick()

    html = page("/artifacts/net/v1/lineage")

    assert len(boxes(html)) == 10
    assert html.count('<path class="lineage-line"') == 9
    assert "The 10 nearest are shown; 12 more are not." in text_of(html)


def test_links_say_which_of_two_artifacts_is_meant(story: dict[str, str], root_dir: Path, tick: Tick, page: Page):
    log_version(root_dir, {"w": b"1"}, name="data", type="dataset")
    tick()

    html = page("/artifacts/net/v1/lineage?depth=2")

    assert 'href="/artifacts/data/v1/lineage?type=model&amp;root=local&amp;depth=2"' in html
    assert "data:v1" in boxes(page("/artifacts/data/v1/lineage?type=model&root=local&depth=2"))


def test_more_runs_and_versions_need_no_more_queries(root_dir: Path, tick: Tick, client: Client):
    counts = []
    for number in (2, 20):
        write_lineage(root_dir, new_run_id(), made=[f"hub{number}:1"])
        for other in range(number):
            write_lineage(root_dir, new_run_id(), used=[f"hub{number}:1"], made=[f"of{number}-{other}:1"])
        tick()
        with CaptureQueriesContext(connections["index"]) as queries:
            assert client.get(f"/artifacts/hub{number}/v1/lineage").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 40


def test_the_tab_is_chinese_for_who_asks_for_it(story: dict[str, str], page: Page):
    text = text_of(page("/artifacts/net/v1/lineage", language="zh-CN"))

    for word in ("血缘", "来源", "产出"):
        assert word in text, word
