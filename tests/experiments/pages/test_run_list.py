"""The table of runs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Run
from tests.experiments.pages.conftest import text_of
from tests.factories import CREATED_AT, make_root, make_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]


def run_ids(html: str) -> list[str]:
    return re.findall(r'<tr data-key="\d+" data-run="([^"]+)"', html)


def test_a_line_shows_what_is_known_of_a_run(page: Page):
    run = make_run(
        make_root(),
        display_name="second try",
        tags='["baseline", "long"]',
        best_metric_name="val_acc",
        best_metric_value=0.94074074,
        best_metric_step=70,
    )

    html = page("/runs")

    row = html[html.index("<tr data-key") :]
    for shown in (
        "finished",
        "second try",
        run.run_id,
        "vision",
        "vit",
        "1 min 30 s",
        "val_acc",
        "0.9407",
        "baseline",
        "long",
    ):
        assert shown in text_of(row), shown
    assert 'title="0.94074074 @ 70"' in row
    assert f'data-copy="{run.run_id}"' in row


def test_runs_of_the_recycle_bin_and_of_disabled_roots_are_left_out(page: Page):
    root = make_root()
    shown = make_run(root, 1)
    make_run(root, 2, deleted_at=CREATED_AT)
    make_run(make_root("gpu1", path="/data/gpu1", enabled=False), 3)

    assert run_ids(page("/runs")) == [shown.run_id]


def test_newest_runs_come_first_and_heads_sort_both_ways(page: Page):
    root = make_root()
    low = make_run(root, 1, best_metric_value=0.1, name="b")
    none = make_run(root, 2, name="a")
    high = make_run(root, 3, best_metric_value=0.9, name="c", ended_at=CREATED_AT + 999)

    assert run_ids(page("/runs")) == [high.run_id, none.run_id, low.run_id]
    assert run_ids(page("/runs?sort=created")) == [low.run_id, none.run_id, high.run_id]
    assert run_ids(page("/runs?sort=-best")) == [high.run_id, low.run_id, none.run_id]
    assert run_ids(page("/runs?sort=best")) == [low.run_id, high.run_id, none.run_id]
    assert run_ids(page("/runs?sort=experiment")) == [none.run_id, low.run_id, high.run_id]
    assert run_ids(page("/runs?sort=-duration"))[0] == high.run_id
    assert 'aria-sort="descending"' in page("/runs?sort=-best")


def test_filters_narrow_by_project_experiment_state_and_words(page: Page):
    root = make_root()
    one = make_run(root, 1, project="vision", name="vit", tags='["baseline"]')
    two = make_run(root, 2, project="vision", name="resnet", status=Run.Status.FAILED)
    three = make_run(
        root, 3, project="nlp-测试", name="中文 实验", status=Run.Status.RUNNING, silent=True, ended_at=None
    )
    four = make_run(root, 4, project="nlp-测试", name="bert", status=Run.Status.RUNNING, ended_at=None)

    assert run_ids(page("/runs?project=vision")) == [two.run_id, one.run_id]
    assert run_ids(page("/runs?project=vision&experiment=vit")) == [one.run_id]
    assert run_ids(page("/runs?status=failed")) == [two.run_id]
    assert run_ids(page("/runs?status=silent")) == [three.run_id]
    assert run_ids(page("/runs?status=running")) == [four.run_id]
    assert run_ids(page("/runs?filter=BASELINE+vit")) == [one.run_id]
    assert run_ids(page("/runs?filter=中文")) == [three.run_id]
    assert run_ids(page("/runs?filter=%22100%25%22")) == []


def test_the_states_are_counted_within_the_other_filters(page: Page):
    root = make_root()
    make_run(root, 1, project="a")
    make_run(root, 2, project="a", status=Run.Status.FAILED)
    make_run(root, 3, project="b", status=Run.Status.FAILED)

    text = text_of(page("/runs?project=a&status=failed"))

    assert "All 2" in text
    assert "finished 1" in text
    assert "failed 1" in text
    assert "1–1 of 1 run" in text


def test_pages_of_fifty_are_links_that_keep_the_filters(page: Page):
    root = make_root()
    for number in range(120):
        make_run(root, number)

    html = page("/runs?project=vision&sort=created&page=2")

    assert len(run_ids(html)) == 50
    assert "51–100 of 120 runs" in text_of(html)
    assert 'href="?project=vision&amp;sort=created&amp;page=3"' in html
    assert len(run_ids(page("/runs?page=999"))) == 20  # the last page


@pytest.mark.parametrize(("query", "word"), [("status=broken", "broken"), ("sort=colour", "colour")])
def test_an_unknown_choice_is_refused_with_what_is_possible(client: Client, query: str, word: str):
    make_root()

    response = client.get(f"/runs?{query}")

    assert response.status_code == 400
    assert word in response.content.decode()
    assert "choose one of" in response.content.decode() or "there are id, name" in response.content.decode()


def test_an_empty_root_shows_three_lines_of_code_and_where_it_lies(page: Page):
    make_root(path="/data/lab")

    html = page("/runs")

    assert "No runs yet" in html
    assert "import runicorn as rn" in html
    assert "/data/lab" in html
    assert "data-copy-from" in html


def test_filters_that_match_nothing_offer_the_way_back(page: Page):
    make_run(make_root())

    html = page("/runs?filter=nothing-like-this")

    assert "No run matches" in html
    assert 'href="/runs"' in html


def test_the_fragment_is_that_part_of_the_page(page: Page):
    make_run(make_root())

    fragment = page("/runs?filter=vit", fragment=True).strip()

    assert fragment.startswith("<section")
    assert fragment in page("/runs?filter=vit")


def test_the_number_of_queries_does_not_grow_with_the_rows(client: Client):
    root = make_root()
    counts = []
    for first, last in ((0, 2), (2, 40)):
        for number in range(first, last):
            make_run(root, number, tags='["a", "b"]')
        with CaptureQueriesContext(connections["index"]) as queries:
            client.get("/runs?project=vision")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 14


def test_names_from_files_are_text_and_never_markup(page: Page):
    evil = '"><script>alert(1)</script>'
    make_run(make_root(), display_name=evil, project=evil, name=evil, tags='["<img src=x>"]', best_metric_name=evil,
             best_metric_value=1.0, path="a/b/runs/c")  # fmt: skip

    html = page("/runs")

    assert "<script>alert" not in html
    assert "<img src=x>" not in html


def test_two_directories_with_one_id_have_links_that_tell_them_apart(page: Page):
    root = make_root()
    make_run(root, 1, project="a", name="x")
    make_run(root, 1, project="b", name="x")

    html = page("/runs")

    links = re.findall(r'href="(/runs/[^"]+)" data-open', html)
    assert len(set(links)) == 2
    for link, project in zip(sorted(links), ("a", "b"), strict=True):
        assert f'href="/runs?project={project}"' in page(link.replace("&amp;", "&"))


def test_the_page_is_chinese_for_who_asks_for_it(page: Page):
    make_run(make_root(), status=Run.Status.FAILED)

    html = page("/runs", language="zh-CN")

    assert '<html lang="zh-hans">' in html
    for word in ("运行", "失败", "状态", "最佳指标", "第 1–1 个，共 1 个运行"):
        assert word in text_of(html), word
