"""What open pages fetch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.test import Client

from tests.factories import make_root, make_run
from tests.run_directories import RUN_ID, write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Index = Callable[[], None]


def test_fresh_rows_come_with_the_number_of_newer_runs_of_the_filter(client: Client):
    root = make_root()
    old = [make_run(root, number) for number in (1, 2)]
    make_run(root, 3)
    make_run(root, 4, project="nlp")

    answer = client.get(f"/runs.rows?project=vision&keys={old[0].pk},{old[1].pk}&newest={old[1].pk}")

    html = answer.content.decode()
    assert html.count("<tr ") == 2
    assert old[0].run_id in html
    assert answer["X-Newer-Runs"] == "1"


def test_a_run_that_was_deleted_has_no_fresh_row(client: Client):
    run = make_run(make_root(), deleted_at=1.0)

    assert "<tr " not in client.get(f"/runs.rows?keys={run.pk}&newest=0").content.decode()


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "-" + "9" * 30])
def test_a_number_that_no_row_has_gives_no_row(client: Client, number: str):
    make_run(make_root())

    answer = client.get(f"/runs.rows?keys={number}&newest={number}")

    assert answer.status_code == 200
    assert "<tr " not in answer.content.decode()


@pytest.mark.parametrize("query", ["keys=1,x", "newest=soon"])
def test_keys_that_are_no_numbers_are_refused(client: Client, query: str):
    assert client.get(f"/runs.rows?{query}").status_code == 400


def test_series_have_their_points_marks_and_last_value(root_dir: Path, index: Index, client: Client):
    records = [{"global_step": step, "loss": value} for step, value in enumerate([0.5, "NaN", 0.25, "Infinity"])]
    write_run(root_dir, records=[*records, {"global_step": 9, "acc": 1}])
    index()

    answer = client.get(f"/runs/{RUN_ID}/charts.json?metric=loss&metric=never").json()

    assert answer["metric_count"] == 2
    loss, never = (metric["lines"][0] for metric in answer["metrics"])
    assert (loss["x"], loss["y"], loss["total"]) == ([0, 2], [0.5, 0.25], 4)
    assert (loss["non_finite"], loss["last_value"], loss["last_step"]) == ([[1, "nan"], [3, "inf"]], None, 3)
    assert never["x"] == []


def test_a_long_series_is_thinned_and_a_range_of_it_is_not(root_dir: Path, index: Index, client: Client):
    write_run(root_dir, records=[{"global_step": step, "loss": step % 7} for step in range(5000)])
    index()

    whole = client.get(f"/runs/{RUN_ID}/charts.json?metric=loss&points=200").json()["metrics"][0]["lines"][0]
    part = client.get(f"/runs/{RUN_ID}/charts.json?metric=loss&points=200&first=1000&last=1100").json()["metrics"][0][
        "lines"
    ][0]

    assert len(whole["x"]) <= 200 < whole["total"] == 5000
    assert part["x"] == list(range(1000, 1101))


def test_stages_begin_where_the_word_changes(root_dir: Path, index: Index, client: Client):
    stages = ["warmup"] * 3 + ["train"] * 4 + [None] * 2
    records = [
        {"global_step": step, "loss": 1, **({"stage": stage} if stage else {})} for step, stage in enumerate(stages)
    ]
    write_run(root_dir, records=records)
    index()

    answer = client.get(f"/runs/{RUN_ID}/charts.json?metric=loss").json()

    assert [(stage["name"], stage["step"]) for stage in answer["stages"]] == [("warmup", 0), ("train", 3), ("", 7)]


def test_a_run_without_stages_has_no_boundaries(root_dir: Path, index: Index, client: Client):
    write_run(root_dir, records=[{"global_step": 1, "loss": 1}])
    index()

    assert client.get(f"/runs/{RUN_ID}/charts.json?metric=loss").json()["stages"] == []


def test_older_lines_of_a_log_come_in_pages_that_meet(root_dir: Path, index: Index, client: Client):
    run_dir = write_run(root_dir)
    lines = [f"10:00:00 | line {number} é" for number in range(25)]
    (run_dir / "logs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    index()

    pages = []
    before = ""
    while not pages or pages[0]["start"] > 0:
        pages.insert(0, client.get(f"/runs/{RUN_ID}/logs.json?lines=10{before}").json())
        before = f"&before={pages[0]['start']}"

    assert [line for page in pages for line in page["lines"]] == lines
    assert len(pages) == 3


async def whole(answer: StreamingHttpResponse) -> bytes:
    return b"".join([piece async for piece in answer])


def test_images_are_served_from_the_media_folder_only(root_dir: Path, index: Index, client: Client):
    run_dir = write_run(root_dir)
    (run_dir / "media").mkdir()
    (run_dir / "media" / "a b.png").write_bytes(b"\x89PNG fake")
    (run_dir / "media" / "secret.png").symlink_to("/etc/hostname")
    index()

    answer = client.get(f"/runs/{RUN_ID}/media/a%20b.png")

    assert (answer.status_code, answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        200,
        "image/png",
        "nosniff",
    )
    assert async_to_sync(whole)(answer) == b"\x89PNG fake"
    for name in ("../meta.json", "%2e%2e/meta.json", "secret.png", "missing.png"):
        assert client.get(f"/runs/{RUN_ID}/media/{name}").status_code == 404, name


def test_pages_change_nothing_and_refuse_to_be_posted_to(client: Client):
    run = make_run(make_root())

    for address in ("/runs", "/runs.rows", f"/runs/{run.run_id}", f"/runs/{run.run_id}/charts.json", "/problems"):
        assert client.post(address).status_code in (403, 405), address


def test_the_answers_of_json_are_json_and_so_are_refusals_where_that_is_asked_for(
    root_dir: Path, index: Index, client: Client
):
    run_dir = write_run(root_dir)
    (run_dir / "logs.txt").write_text("one needle\n")
    index()

    for name in ("charts.json", "logs.json", "logs.found?q=needle"):
        answer = client.get(f"/runs/{RUN_ID}/{name}")
        assert answer["Content-Type"] == "application/json"
        json.loads(answer.content)
    for name, status in (
        ("logs.json?file=status.json", 404),
        ("logs.found?q=(&regex=1", 400),
        ("logs.json?at=-1", 400),
    ):
        answer = client.get(f"/runs/{RUN_ID}/{name}", headers={"Accept": "application/json"})
        assert answer.status_code == status
        assert answer.json()["detail"]


@pytest.mark.parametrize("question", ["line=x", "at=-1", "before=" + "9" * 40, "time=soon", "number=", "after=1.5"])
def test_a_place_in_a_log_that_makes_no_sense_is_refused(root_dir: Path, index: Index, client: Client, question: str):
    run_dir = write_run(root_dir)
    (run_dir / "logs.txt").write_text("one\n")
    index()

    assert client.get(f"/runs/{RUN_ID}/logs.json?{question}").status_code == 400
