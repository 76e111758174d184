"""Columns, orders, filters and groups of the runs table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import MetricKey, MetricSeries, Run, RunTag, RunValue, StorageRoot, ValueKey
from tests.experiments.pages.conftest import text_of
from tests.factories import make_root, make_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]


def add_run(root: StorageRoot, number: int, *, lr: str, accuracy: float | None = None, **fields: object) -> Run:
    """A run with ``config.lr`` as it was spelled and, maybe, the metric ``val acc``."""
    run = make_run(root, number, **fields)
    key, _ = ValueKey.objects.get_or_create(area="config", name="lr")
    try:
        number_said = float(lr)
    except ValueError:
        number_said = None
    RunValue.objects.create(run=run, key=key, text=lr, number=number_said)
    if accuracy is not None:
        metric, _ = MetricKey.objects.get_or_create(name="val acc")
        MetricSeries.objects.create(
            run=run, key=metric, count=3, first_step=0, last_step=2, last_value=accuracy, min_value=0, max_value=1,
            mean_value=0.5,
        )  # fmt: skip
    return run


@pytest.fixture
def root() -> StorageRoot:
    """Of three runs: lr 0.1, 0.01 and "auto"."""
    root = make_root()
    add_run(root, 1, lr="0.1", accuracy=0.5)
    add_run(root, 2, lr="1e-2", accuracy=0.75, name="resnet")
    add_run(root, 3, lr="auto")
    return root


def numbers(html: str) -> list[int]:
    """The runs in their order, by the numbers they were made with."""
    return [int(found, 16) for found in re.findall(r'<tr data-key="\d+" data-run="[^"]+_(\w+)"', html)]


def cells(html: str, number: int) -> str:
    (line,) = re.findall(rf'<tr data-key="\d+" data-run="[^"]+_{number:06x}".*?</tr>', html, re.DOTALL)
    return text_of(line)


def test_columns_are_those_of_the_address(page: Page, root: StorageRoot):
    html = page('/runs?columns=config.lr,metrics."val acc".max,metrics."val acc",host,attempt')

    head = text_of(re.findall("<thead>.*?</thead>", html, re.DOTALL)[0])
    assert "Project" not in head
    for shown in ("config lr", "val acc max", "val acc last", "Host", "Attempt"):
        assert shown in head, shown
    assert "0.1000 1 0.5000" in cells(html, 1)
    assert "auto – –" in cells(html, 3)


def test_a_browser_that_chose_columns_is_shown_them_again(client: Client, root: StorageRoot):
    client.get("/runs?columns=config.lr")

    again = client.get("/runs").content.decode()
    assert "config </span>lr" in again
    assert "columns=config.lr" in again  # the links hold the whole choice

    client.get("/runs?columns=experiment,created,duration,best,tags")
    assert "config </span>lr" not in client.get("/runs").content.decode()


def test_a_cookie_of_columns_that_are_none_is_passed_over(client: Client, root: StorageRoot):
    client.cookies["runicorn_columns"] = "colour,,="

    assert client.get("/runs").status_code == 200


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("config.lr", [2, 1, 3]),  # numbers by size, then texts
        ("-config.lr", [1, 2, 3]),
        ('-metrics."val acc"', [2, 1, 3]),
        ('metrics."val acc"', [1, 2, 3]),
        ("name,-created", [2, 3, 1]),
        ("-name,created", [1, 3, 2]),
        ("tags", [3, 2, 1]),
        ("duration", [3, 2, 1]),
        ("-status,id", [1, 2, 3]),
        ("config.unheard", [3, 2, 1]),
    ],
)
def test_the_table_is_sorted_by_anything(page: Page, root: StorageRoot, sort: str, expected: list[int]):
    assert numbers(page(f"/runs?sort={sort}")) == expected


def test_sorting_says_by_which_key_first(page: Page, root: StorageRoot):
    html = page("/runs?sort=-config.lr,created&columns=config.lr,created")

    assert 'data-column="config.lr" title="config.lr" aria-sort="descending"' in html
    assert "↓1" in text_of(html)
    assert "↑2" in text_of(html)


def test_a_filter_and_its_parts_stand_above_the_table(page: Page, root: StorageRoot):
    html = page("/runs?filter=config.lr < 0.5 and name = resnet&sort=created")

    assert numbers(html) == [2]
    assert "config.lr &lt; 0.5</span>" in html
    assert 'href="/runs?filter=name+%3D+resnet&amp;sort=created"' in html  # without the first part


def test_a_mistake_in_the_filter_is_said_in_its_place(page: Page, client: Client, root: StorageRoot):
    html = page("/runs?filter=config.lr <")

    assert "The filter is not understood" in html
    assert "expected a field or a value" in text_of(html)
    assert 'aria-invalid="true"' in html

    # while somebody types, the table stays and the address too
    answer = client.get("/runs?filter=config.lr <", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Reswap"], answer["HX-Push-Url"]) == (200, "none", "false")
    assert "ends too early" in json.loads(answer["HX-Trigger"])["runicorn:mistake"]["text"]


def test_a_filter_by_what_no_run_has_says_so(page: Page, root: StorageRoot):
    assert "No run has a value called config.learning_rate" in text_of(page("/runs?filter=config.learning_rate > 1"))


def test_moments_in_a_filter_are_of_the_browsers_time_zone(client: Client, root: StorageRoot):
    # the runs were made on 14 January 2025 from 15:31:45 UTC on, a minute apart: in Shanghai it was 23:31
    def count(zone: str) -> int:
        client.cookies["runicorn_zone"] = zone
        return len(numbers(client.get("/runs?filter=created < 2025-01-14T23:32").content.decode()))

    assert [count("Asia/Shanghai"), count("UTC"), count("Mars/Olympus"), count("../../etc/passwd")] == [1, 3, 3, 3]


def test_a_value_is_a_link_that_leaves_the_runs_with_it(page: Page, root: StorageRoot):
    html = page("/runs?columns=config.lr,tags&project=vision")

    assert 'href="?project=vision&amp;filter=config.lr+%3D+0.1&amp;columns=config.lr%2Ctags"' in html
    assert numbers(page("/runs?filter=config.lr = 1e-2")) == [2]


def test_groups_have_counts_means_and_spreads(page: Page):
    root = make_root()
    for number, (lr, accuracy) in enumerate([("0.1", 0.5), ("0.1", 0.7), ("0.01", 0.9), ("auto", None)], 1):
        add_run(root, number, lr=lr, accuracy=accuracy)

    html = page('/runs?group=config.lr&columns=metrics."val acc"')

    lines = [text_of(line) for line in re.findall('<tr class="group-row".*?</tr>', html, re.DOTALL)]
    assert lines == ["config.lr 0.01 1 0.9000", "config.lr 0.1 2 0.6000 ± 0.1414", "config.lr auto 1"]
    assert "3 groups of 4 runs" in text_of(html)
    assert "2 runs, 0.5000 to 0.7000, mean 0.6" in html
    by_mean = page('/runs?group=config.lr&columns=metrics."val acc"&sort=metrics."val acc"')
    assert text_of(by_mean).index("config.lr 0.1") < text_of(by_mean).index("config.lr 0.01")


def test_a_group_holds_groups_and_at_last_runs(page: Page, root: StorageRoot):
    outer = page("/runs?group=name,config.lr")
    (inner,) = re.findall(r'hx-get="(/runs.inside[^"]*resnet[^"]*)"', outer)
    within = page(inner.replace("&amp;", "&"))

    assert "config.lr 1e-2" in text_of(within)
    assert 'data-depth="2"' in within
    (innermost,) = re.findall(r'hx-get="([^"]+)"', within)
    assert numbers(page(innermost.replace("&amp;", "&"))) == [2]


@pytest.mark.parametrize(
    ("value", "condition"),
    [('say "hi" \\', "a"), ("null", "b"), ("  spaced\n ", "c"), ("true", "d"), ("中文，逗号", "e")],
)
def test_a_group_of_any_text_finds_its_runs(page: Page, value: str, condition: str):
    add_run(make_root(), 1, lr=value)

    (inside,) = re.findall(r'hx-get="(/runs.inside[^"]*)"', page("/runs?group=config.lr"))

    assert numbers(page(inside.replace("&amp;", "&"))) == [1]


@pytest.mark.parametrize("group", ["tags", "created", "duration", "colour", "id,name,host,root,python"])
def test_what_makes_no_groups_is_refused(client: Client, root: StorageRoot, group: str):
    assert client.get(f"/runs?group={group}").status_code == 400


@pytest.mark.parametrize(
    "query", ['columns=config.lr,metrics."val acc",tags', "group=config.lr", "sort=config.lr", "filter=config.lr = 1"]
)
def test_no_choice_asks_more_of_more_runs(client: Client, query: str):
    root, counts = make_root(), []
    for first, last in ((0, 2), (2, 40)):
        for number in range(first, last):
            add_run(root, number, lr="1", accuracy=number)
        with CaptureQueriesContext(connections["index"]) as queries:
            client.get(f"/runs?{query}")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 22


def test_the_picker_finds_fields_and_says_which_are_shown(page: Page, root: StorageRoot):
    html = page('/runs.fields?search=ACC&columns=metrics."val acc".max,tags')

    assert 'aria-label="metrics.&quot;val acc&quot;.min: min"' in html
    assert "max ✓" in text_of(html)
    assert ">lr<" not in html
    assert "columns=tags%2Cmetrics.%22val+acc%22.max" in html  # moved to the right


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conf", ["config.lr"]),
        ("config.lr ", ["=", "!=", "<", "<=", ">", ">=", "~", "in ("]),
        ("config.lr <", ["<="]),
        ("config.lr = a", ["auto", "baseline"][:1]),
        ("status = fa", ["failed"]),
        ("status in (failed, run", ["running"]),
        ("tags ha", ["has"]),
        ("tags has ", ["base line", "baseline"]),
        ("name = resnet a", ["and"]),
        ("not sta", ["status", "started"]),
        ('metrics."val acc".m', ['metrics."val acc".min', 'metrics."val acc".max', 'metrics."val acc".mean']),
        ("archived = ", ["true", "false"]),
    ],
)
def test_a_filter_is_completed(client: Client, root: StorageRoot, text: str, expected: list[str]):
    for tag in ("baseline", "base line"):
        RunTag.objects.create(run=Run.objects.get(name="resnet"), tag=tag)

    answer = client.get("/runs.offers", {"text": text}).json()

    offered = [offer.strip('"') if " " in offer and offer.startswith('"') else offer for offer in answer["texts"]]
    assert [offer for offer in offered if offer in expected] == expected, offered
    assert text[answer["begin"] :] in (*text.split(" "), *text.split("("), '"val acc".m', 'metrics."val acc".m')


@pytest.mark.parametrize("text", ["", '"', "((((", "a = '", "in", "= =", "\u0000", "metrics.", "x" * 5000])
def test_completion_bears_anything(client: Client, root: StorageRoot, text: str):
    assert client.get("/runs.offers", {"text": text, "cursor": "3"}).status_code == 200
