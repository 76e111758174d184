"""The first page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import Alert, Run
from tests.experiments.pages.conftest import text_of
from tests.factories import make_root, make_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]


def section(html: str, title: str) -> str:
    """What a reader sees of a part of the page."""
    (found,) = re.findall(rf'<section [^>]*aria-labelledby="{title}-title">(.*?)</section>', html, re.DOTALL)
    return text_of(found)


def test_it_shows_what_runs_and_what_ended(page: Page):
    root, now = make_root(), time.time()
    make_run(
        root, 1, status="running", ended_at=None, started_at=now - 3661, created_at=now - 3661, display_name="alive"
    )
    make_run(root, 2, status="running", ended_at=None, silent=True, last_sign_at=now - 7200, display_name="quiet")
    make_run(root, 3, status="failed", ended_at=now - 300, display_name="broken")
    make_run(root, 4, ended_at=now - 90_000, display_name="older", best_metric_name="acc", best_metric_value=0.75)
    make_run(root, 5, deleted_at=now, display_name="gone")

    html = page("/")

    assert section(html, "running").startswith("Running 2 ● running alive vision / vit · 1 h 01 min")
    assert "no sign of life since 2 h ago quiet" in section(html, "running")
    ended = section(html, "ended")
    assert ended.index("broken") < ended.index("older")
    assert "acc 0.7500" in ended
    assert "gone" not in text_of(html)


def test_the_newest_alerts_lead_to_their_runs(page: Page):
    run = make_run(make_root(), 1)
    Alert.objects.create(run=run, ts=time.time() - 120, level="error", title="<b>diverged</b>", text="")

    html = page("/")

    assert f'href="/runs/{run.run_id}/alerts">&lt;b&gt;diverged' in html
    assert "✕ error" in section(html, "alerts")
    assert "2 min ago" in section(html, "alerts")


def test_runs_a_day_are_counted_in_the_readers_days(client: Client):
    # 20:30 UTC yesterday is today in Shanghai
    midnight = time.time() // 86_400 * 86_400
    make_run(make_root(), 1, created_at=midnight - 3.5 * 3600)

    def day(zone: str) -> str:
        client.cookies["runicorn_zone"] = zone
        (found,) = re.findall(r"<title>([^<]+): 1</title>", client.get("/").content.decode())
        return str(found)

    yesterday = time.strftime("%Y-%m-%d", time.gmtime(midnight - 1))
    today = time.strftime("%Y-%m-%d", time.gmtime(midnight))
    assert (day("UTC"), day("Asia/Shanghai")) == (yesterday, today)
    assert "1 run in the last twelve weeks" in text_of(client.get("/").content.decode())


def test_projects_stand_with_their_counts(page: Page):
    root = make_root()
    make_run(root, 1, project="vision & co")
    make_run(root, 2, project="vision & co", status="failed")
    make_run(root, 3, project="nlp")

    text = section(page("/"), "projects")

    assert "Projects 2" in text
    assert "vision &amp; co 1 2 0 1" in text


def test_an_empty_root_says_how_to_begin(page: Page):
    make_root()

    assert "No runs yet" in page("/")


def test_it_asks_no_more_of_more_runs(client: Client):
    root, counts = make_root(), []
    for first, last in ((0, 2), (2, 40)):
        for number in range(first, last):
            run = make_run(root, number, project=f"p{number}", status=["running", "finished"][number % 2])
            Alert.objects.create(run=run, level="info", title="x", text="")
        with CaptureQueriesContext(connections["index"]) as queries:
            client.get("/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 20
    assert Run.objects.count() == 40


def test_it_says_what_each_project_takes_and_what_is_left(page: Page):
    root = make_root()
    for number, (project, size, deleted_at) in enumerate(
        [("small", 2048, None), ("large", 3 * 1024**2, None), ("large", 1024**2, None), ("small", 4096, 5.0)]
    ):
        make_run(root, number, project=project, size_bytes=size, deleted_at=deleted_at)
    make_run(root, 9, project="new")
    type(root).objects.update(free_bytes=50 * 1024**3, disk_bytes=100 * 1024**3)

    storage = section(page("/"), "storage")

    assert storage.startswith("Storage 4.00 MB")
    assert "large 4.00 MB small 2.00 KB" in storage
    assert "1 run is not measured yet." in storage
    assert "4.00 KB more lie in the recycle bin" in storage
    assert f"50.00 GB of 100.00 GB are free on the disk of {root.path}" in storage
    assert "nearly full" not in storage

    type(root).objects.update(free_bytes=1024**3)
    assert "nearly full" in section(page("/"), "storage")
