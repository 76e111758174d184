"""The page of one run and its tabs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client

from experiments.models import Run
from tests.experiments.pages.conftest import text_of, without_tokens
from tests.factories import make_root, make_run
from tests.run_directories import CREATED_AT, RUN_ID, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]
Index = Callable[[], None]
TABS = ("", "/overview", "/logs", "/media")


def test_every_tab_opens_for_a_run_with_nothing_but_its_identity(root_dir: Path, index: Index, page: Page):
    write_run(root_dir)
    index()

    for tab in TABS:
        html = page(f"/runs/{RUN_ID}{tab}")
        assert html.count("<h1>") == 1
        assert html.count('aria-current="page"') == 2  # Runs in the top bar, and the tab


def test_an_unknown_run_is_a_page_with_the_way_back(client: Client):
    for tab in TABS:
        response = client.get(f"/runs/20250101_000000_ffffff{tab}")
        assert response.status_code == 404
        assert "There is no such run" in response.content.decode()
        assert 'href="/runs"' in response.content.decode()


def test_the_head_says_what_became_of_the_run(root_dir: Path, index: Index, page: Page):
    write_run(
        root_dir,
        meta={"tags": ["baseline"], "group": "sweep-1"},
        status={"status": "failed", "ended_at": CREATED_AT + 3725, "exit_reason": "process_not_found"},
        summary={"best_metric_name": "val_acc", "best_metric_value": 0.5, "best_metric_step": 3},
    )
    index()

    text = text_of(page(f"/runs/{RUN_ID}/head"))

    for shown in (
        "✕ failed",
        "its process is gone",
        "1 h 02 min",
        "Best val_acc 0.5000 at step 3",
        "sweep-1",
        "baseline",
    ):
        assert shown in text, shown


def test_a_silent_run_says_since_when_instead_of_guessing(page: Page):
    make_run(
        make_root(), status=Run.Status.RUNNING, silent=True, last_sign_at=CREATED_AT, ended_at=None, path="a/b/runs/c"
    )

    assert "no sign of life since 2025-01-14" in text_of(page("/runs/20250114_153045_000001"))


def test_a_card_a_metric_in_sections_by_prefix(root_dir: Path, index: Index, page: Page):
    records = [{"global_step": step, "train/loss": 1 / (step + 1), "val/acc": step, "lr": 0.1} for step in range(3)]
    write_run(root_dir, records=[*records, {"global_step": 3, "train/loss": "NaN"}])
    index()

    html = page(f"/runs/{RUN_ID}")

    assert [part.split('"')[0] for part in html.split('data-section="')[1:]] == ["", "train", "val"]
    assert [part.split('"')[0] for part in html.split('data-metric="')[1:]] == ["lr", "train/loss", "val/acc"]
    assert "1 value is not finite" in text_of(html)
    assert "step 2" in text_of(html)


def test_config_summary_and_environment_are_trees_with_packages_apart(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(
        root_dir,
        meta={"notes": "A larger rate.\nSecond line."},
        config={"optimizer": {"name": "sgd", "betas": [0.9, 0.99]}, "resume": None, "amp": True},
        summary={"final <loss>": 0.25},
        environment={
            "python_version": "3.11.9",
            "pip_packages": ["torch==2.1", "numpy==2.0"],
            "git_info": {"branch": "main"},
        },
    )
    index()

    text = text_of(page(f"/runs/{RUN_ID}/overview"))

    for shown in ("optimizer {2}", "betas 0.9, 0.99", "resume null", "amp true", "final &lt;loss&gt; 0.25"):
        assert shown in text, shown
    for shown in ("A larger rate.", "branch main", "2 packages numpy==2.0 torch==2.1", str(run_dir)):
        assert shown in text, shown


def test_a_broken_environment_is_named_and_the_rest_is_shown(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(root_dir, config={"lr": 0.1})
    (run_dir / "environment.json").write_text("{broken", encoding="utf-8")
    index()

    text = text_of(page(f"/runs/{RUN_ID}/overview"))

    assert "environment.json is not valid JSON" in text
    assert "lr 0.1" in text


def test_a_deep_and_wide_config_is_cut_and_says_so(root_dir: Path, index: Index, page: Page):
    deep: dict[str, object] = {}
    for _ in range(150):  # a document deeper than 200 is refused as a whole
        deep = {"in": deep}
    write_run(root_dir, config={"deep": deep, "wide": {str(number): number for number in range(700)}})
    index()

    text = text_of(page(f"/runs/{RUN_ID}/overview"))

    assert "200 more entries are in the file." in text
    assert "1 more entry is in the file." in text


def test_the_log_begins_with_its_newest_lines(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(root_dir)
    (run_dir / "logs.txt").write_text("".join(f"10:00:00 | line {n} <b>\n" for n in range(700)), encoding="utf-8")
    index()

    html = page(f"/runs/{RUN_ID}/logs")

    assert "line 699 &lt;b&gt;" in html
    assert "line 200 " in html
    assert "line 199 " not in html
    assert f'data-end="{(run_dir / "logs.txt").stat().st_size}"' in html


def test_images_stand_in_groups_by_key_in_the_order_of_steps(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(root_dir)
    images = [
        ("samples", "media/b.png", 20, "later"),
        ("samples", "media/a.png", 3, None),
        ("confusion", "media/c d.png", 1, "<b>"),
    ]
    with (run_dir / "events.jsonl").open("a", encoding="utf-8") as events:
        for key, path, step, caption in images:
            data = {"key": key, "path": path, "step": step, "caption": caption}
            events.write(json.dumps({"ts": CREATED_AT, "type": "image", "data": data}) + "\n")
    index()

    html = page(f"/runs/{RUN_ID}/media")

    sources = [part.split('"')[0] for part in html.split('<img src="')[1:] if part.startswith("/runs")]
    assert sources == [f"/runs/{RUN_ID}/media/{name}" for name in ("c%20d.png", "a.png", "b.png")]
    assert "&lt;b&gt;" in html


def test_an_image_path_outside_the_media_folder_is_not_linked(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(root_dir)
    data = {"key": "k", "path": "../../secret.png", "step": 1, "caption": None}
    (run_dir / "events.jsonl").write_text(
        json.dumps({"ts": 1.0, "type": "image", "data": data}) + "\n", encoding="utf-8"
    )
    index()

    html = page(f"/runs/{RUN_ID}/media")

    assert "secret" not in html
    assert "not shown" in html


def test_newer_and_older_runs_are_linked_in_the_order_of_the_table(page: Page):
    root = make_root()
    runs = [make_run(root, number) for number in (1, 2, 3)]

    html = page(f"/runs/{runs[1].run_id}/head")

    assert f'href="/runs/{runs[2].run_id}" data-newer' in html
    assert f'href="/runs/{runs[0].run_id}" data-older' in html
    assert "data-newer" not in page(f"/runs/{runs[2].run_id}/head")


def test_a_run_directory_with_any_name_has_its_pages(root_dir: Path, index: Index, page: Page):
    run_id = "run with blanks & ünï #1? 100%"
    write_run(root_dir, f"多语言 项目/实验/runs/{run_id}")
    index()

    for tab in TABS:
        assert "多语言 项目" in page(f"/runs/{quote(run_id)}{tab}")
    (link,) = re.findall(r'href="([^"]+)" data-open', page("/runs"))
    assert "多语言 项目" in page(unescape(link))


def test_the_tab_alone_is_that_part_of_the_page(root_dir: Path, index: Index, page: Page):
    write_run(root_dir, config={"lr": 0.1}, records=[{"global_step": 1, "loss": 0.5}])
    index()

    for tab in TABS:
        fragment = page(f"/runs/{RUN_ID}{tab}", fragment=True).strip()
        assert fragment.startswith('<div id="run-tab"')
        assert without_tokens(fragment) in without_tokens(page(f"/runs/{RUN_ID}{tab}"))


def test_files_that_cannot_be_read_are_listed_with_their_reason(root_dir: Path, index: Index, page: Page):
    run_dir = write_run(root_dir)
    (run_dir / "summary.json").write_text("{broken", encoding="utf-8")
    index()

    assert "Problems 1" in text_of(page("/runs"))
    text = text_of(page("/problems"))
    assert str(run_dir / "summary.json") in text
    assert "is not valid JSON" in text
    assert "is not valid JSON" in text_of(page(f"/runs/{RUN_ID}"))

    write_json(run_dir / "summary.json", {"ok": 1})
    index()

    assert "Problems" not in text_of(page("/runs"))
    assert "No problems" in page("/problems")


def test_long_branches_of_a_tree_are_folded_at_first(root_dir: Path, index: Index, page: Page):
    write_run(root_dir, config={"short": {"a": {"b": 1}}, "long": list(range(60))})
    index()

    html = page(f"/runs/{RUN_ID}/overview")

    assert '<details open data-fold="config.short">' in html
    assert '<details data-fold="config.short.a">' in html
    assert '<details data-fold="config.long">' in html


def test_alerts_have_a_tab_newest_first_with_level_as_a_word(root_dir: Path, index: Callable[[], None], page: Page):
    run_dir = write_run(root_dir)
    with (run_dir / "events.jsonl").open("a", encoding="utf-8") as events:
        for title, level in (("first", "info"), ("<b>second</b>", "error")):
            data = {"title": title, "text": "why", "level": level}
            events.write(json.dumps({"ts": 1.7e9, "type": "alert", "data": data}) + "\n")
    index()

    html = page(f"/runs/{RUN_ID}/alerts")

    assert "Alerts 2" in text_of(html)
    assert text_of(html).index("error &lt;b&gt;second&lt;/b&gt;") < text_of(html).index("note first")


def test_a_run_without_alerts_says_how_to_make_one(root_dir: Path, index: Callable[[], None], page: Page):
    write_run(root_dir)
    index()

    assert "rn.alert(" in page(f"/runs/{RUN_ID}/alerts")


@pytest.mark.parametrize(
    ("git", "expected"),
    [
        (
            {"commit": "abcdef0123456789", "branch": "main", "has_changes": True, "last_commit_message": "<b>faster"},
            "Commit abcdef0123 on main with changes &lt;b&gt;faster",
        ),
        ({"commit": "abcdef0123456789"}, "Commit abcdef0123 Host"),
        ({"commit": None}, None),
        (["no", "object"], None),
        (None, None),
    ],
)
def test_the_overview_says_which_code_it_was(
    root_dir: Path, index: Index, page: Page, git: object, expected: str | None
):
    write_run(root_dir, environment={"git_info": git})
    index()

    text = text_of(page(f"/runs/{RUN_ID}/overview"))

    assert expected in text if expected else "Commit" not in text
