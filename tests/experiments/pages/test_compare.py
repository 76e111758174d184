"""Runs side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.experiments.pages.conftest import text_of
from tests.run_directories import write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]


@pytest.fixture
def sweep(root_dir: Path, index: Callable[[], None]) -> str:
    """The ids of four runs, as the address has them: two learning rates with two seeds each."""
    for number in range(4):
        write_run(
            root_dir,
            f"vision/vit/runs/run-{number}",
            config={"lr": [0.1, 0.01][number // 2], "seed": number % 2, "epochs": 3},
            summary={"best": number},
            records=[{"global_step": step, "loss": number + step / 4, "val/acc": step} for step in range(3)],
        )
    index()
    return ",".join(f"run-{number}" for number in range(4))


@pytest.fixture
def data(client: Client) -> Callable[..., Any]:
    def ask(**query: object) -> Any:
        answer = client.get("/compare.json", query)
        assert answer.status_code == 200, answer.content
        return answer.json()["metrics"]

    return ask


def board(html: str) -> Any:
    (found,) = re.findall(r'<script id="compare-board" type="application/json">(.*?)</script>', html)
    return json.loads(found)["runs"]


def test_runs_are_called_by_what_differs(page: Page, sweep: str):
    runs = board(page(f"/compare?runs={sweep}"))

    assert [run["label"] for run in runs] == [
        "lr=0.1 seed=0",
        "lr=0.1 seed=1",
        "lr=0.01 seed=0",
        "lr=0.01 seed=1",
    ]


def test_runs_of_one_colour_are_drawn_apart(page: Page, root_dir: Path, index: Callable[[], None]):
    for number in range(30):
        write_run(root_dir, f"vision/vit/runs/many-{number}")
    index()

    runs = board(page("/compare?runs=" + ",".join(f"many-{number}" for number in range(30))))

    assert len({(run["color"], run["dash"]) for run in runs}) == 30


def test_each_metric_of_any_run_has_a_card(page: Page, sweep: str):
    html = page(f"/compare?runs={sweep}")

    assert re.findall(r'data-metric="([^"]+)"', html) == ["loss", "val/acc"]
    assert "differ only in their seed: 2 groups" in text_of(html)


def test_a_run_that_is_not_there_is_named_and_the_others_are_shown(page: Page, sweep: str):
    html = page(f"/compare?runs={sweep},gone-1,gone-2")

    assert "These runs are not there: gone-1, gone-2" in text_of(html)
    assert len(board(html)) == 4


def test_nothing_to_compare_says_how_to_choose(page: Page):
    assert "No runs to compare" in page("/compare")
    assert "No runs to compare" in page("/compare?runs=,,")


def test_a_line_a_run(data: Callable[..., Any], sweep: str):
    (loss,) = data(runs=sweep, metric="loss")

    assert [line["y"] for line in loss["lines"]] == [[number, number + 0.25, number + 0.5] for number in range(4)]
    assert len({line["run"] for line in loss["lines"]}) == 4


def test_a_band_a_group(data: Callable[..., Any], sweep: str):
    (loss,) = data(runs=sweep, metric="loss", group="config.lr", center="median", spread="minmax")

    assert [(line["group"], line["run_count"], line["y"][0]) for line in loss["lines"]] == [
        ("lr=0.1", 2, 0.5),
        ("lr=0.01", 2, 2.5),
    ]
    assert (loss["lines"][0]["band"]["low"][0], loss["lines"][0]["band"]["high"][0]) == (0, 1)


def test_groups_by_all_but_the_seed_with_the_lines_of_the_runs(data: Callable[..., Any], sweep: str):
    (loss,) = data(runs=sweep, metric="loss", group="seeds", traces=1)

    assert [line.get("group") for line in loss["lines"]] == [None] * 4 + ["lr=0.1", "lr=0.01"]


def test_runs_that_differ_in_nothing_else_are_one_group(
    data: Callable[..., Any], root_dir: Path, index: Callable[[], None]
):
    for seed in range(3):
        write_run(
            root_dir, f"vision/vit/runs/s{seed}", config={"random_seed": seed}, records=[{"global_step": 1, "loss": 1}]
        )
    index()

    (loss,) = data(runs="s0,s1,s2", metric="loss", group="seeds")

    assert [(line["group"], line["run_count"]) for line in loss["lines"]] == [("vit", 3)]


@pytest.mark.parametrize(
    "query", ["group=colour", "group=config.lr&center=mode", "group=config.lr&spread=all", "x=&smooth=2"]
)
def test_what_cannot_be_drawn_is_refused(client: Client, sweep: str, query: str):
    assert client.get(f"/compare.json?runs={sweep}&metric=loss&{query}").status_code == 400


def test_the_table_has_what_differs_and_by_how_much(page: Page, sweep: str):
    html = page(f"/compare/table?runs={sweep}&baseline=run-1")
    text = text_of(html)

    assert "epochs" not in text  # the same everywhere
    assert "Config Config" not in text
    assert "lr 0.1000 0.1000 0.01000 -0.09000 0.01000 -0.09000" in text
    assert "best 1 0 -1 2 +1 3 +2" in text
    assert "loss 1.500 0.5000 -1 2.500 +1 3.500 +2" in text
    assert "epochs 3 3 3 3" in text_of(page(f"/compare/table?runs={sweep}&all=1"))


def test_the_table_has_packages_and_machines_that_differ(page: Page, root_dir: Path, index: Callable[[], None]):
    for number in range(2):
        packages = ["numpy==2.1.0", f"torch==2.{number}.0", *(["only-here==1"] if number else [])]
        environment = {"python": "3.11", "git": {"commit": f"abc{number}", "branch": "main"}, "pip_packages": packages}
        write_run(root_dir, f"vision/vit/runs/env-{number}", environment=environment)
    index()

    text = text_of(page("/compare/table?runs=env-0,env-1"))

    assert "git.commit abc0 abc1" in text
    assert "pip_packages.torch 2.0.0 2.1.0" in text
    assert "pip_packages.only-here – 1" in text
    assert "numpy" not in text
    assert "branch" not in text


def drawn(html: str) -> Any:
    (found,) = re.findall(r'<script id="compare-drawn" type="application/json">(.*?)</script>', html)
    return json.loads(found)


def test_the_first_axes_are_what_was_set_and_what_runs_are_judged_by(page: Page, sweep: str):
    axes = drawn(page(f"/compare/parallel?runs={sweep}"))["axes"]

    assert [axis["name"] for axis in axes] == ["lr", "best"]
    assert axes[0] == {"name": "lr", "is_number": True, "values": [0.1, 0.1, 0.01, 0.01]}


def test_axes_are_chosen_and_those_that_are_not_there_left_out(page: Page, sweep: str):
    query = "axis=metrics.loss&axis=config.seed&axis=config.never"
    html = page(f"/compare/parallel?runs={sweep}&{query}")
    points = drawn(page(f"/compare/scatter?runs={sweep}&x=config.seed&y=metrics.loss"))["axes"]

    assert [axis["name"] for axis in drawn(html)["axes"]] == ["loss", "seed"]
    assert [axis["values"] for axis in points] == [[0, 1, 0, 1], [0.5, 1.5, 2.5, 3.5]]
    assert "run-3 3.500 1" in text_of(html)


def test_texts_and_missing_values_have_an_axis_too(page: Page, root_dir: Path, index: Callable[[], None]):
    for number, config in enumerate(({"optimizer": "adam"}, {"optimizer": "sgd"}, {})):
        write_run(root_dir, f"vision/vit/runs/opt-{number}", config=config)
    index()

    (axis,) = drawn(page("/compare/parallel?runs=opt-0,opt-1,opt-2"))["axes"]

    assert axis == {"name": "optimizer", "is_number": False, "values": ["adam", "sgd", None]}


@pytest.mark.parametrize("tab", ["parallel", "scatter", "images", "logs", "table"])
def test_every_tab_stands_runs_that_have_nothing(page: Page, root_dir: Path, index: Callable[[], None], tab: str):
    for number in range(2):
        write_run(root_dir, f"vision/vit/runs/bare-{number}")
    index()

    assert "bare-0" in page(f"/compare/{tab}?runs=bare-0,bare-1")
    assert "No runs to compare" in page(f"/compare/{tab}?runs=never")
    page(f"/compare/{tab}?runs=bare-0")


def log_image(run_dir: Path, step: int) -> None:
    (run_dir / "media").mkdir(exist_ok=True)
    (run_dir / "media" / f"{step}.png").write_bytes(b"png")
    data = {"key": "samples", "path": f"media/{step}.png", "step": step}
    with (run_dir / "events.jsonl").open("a") as events:
        events.write(json.dumps({"ts": 1.0, "type": "image", "data": data}) + "\n")


def test_images_of_one_step_stand_beside_each_other(page: Page, root_dir: Path, index: Callable[[], None]):
    for number, steps in enumerate(((0, 10, 20), (5, 15), ())):
        run_dir = write_run(root_dir, f"vision/vit/runs/img-{number}", config={"n": number})
        for step in steps:
            log_image(run_dir, step)
    index()
    runs = "runs=img-0,img-1,img-2"

    def shown(html: str) -> list[str]:
        return re.findall(r'<img src="/runs/(img-\d/media/\d+\.png)"', html)

    last, middle, first = (page(f"/compare/images?{runs}{step}") for step in ("", "&step=12", "&step=-5"))

    assert shown(last) == ["img-0/media/20.png", "img-1/media/15.png"]
    assert "1 run has none up to this step" in text_of(last)
    assert shown(middle) == ["img-0/media/10.png", "img-1/media/5.png"]
    assert re.findall(r"key=samples&amp;step=(\d+)", middle) == ["5", "15"]
    assert shown(first) == ["img-0/media/0.png"]


def test_runs_that_do_not_differ_say_so(page: Page, root_dir: Path, index: Callable[[], None]):
    for number in range(2):
        write_run(root_dir, f"vision/vit/runs/same-{number}", config={"lr": 1})
    index()

    assert "These runs do not differ" in page("/compare/table?runs=same-0,same-1")


def test_at_most_two_hundred_runs_are_compared(page: Page, root_dir: Path, index: Callable[[], None]):
    for number in range(203):
        write_run(root_dir, f"vision/vit/runs/crowd-{number}")
    index()

    assert len(board(page("/compare?runs=" + ",".join(f"crowd-{number}" for number in range(203))))) == 200
