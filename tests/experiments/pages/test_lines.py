"""The lines of charts, as the page fetches them: axes, ranges, smoothing, what is not finite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from tests.experiments.metrics.test_smoothing import by_definition
from tests.run_directories import CREATED_AT, RUN_ID, write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Index = Callable[[], None]


@pytest.fixture
def line(client: Client) -> Callable[..., Any]:
    """The line of ``loss``."""

    def ask(**query: object) -> Any:
        answer = client.get(f"/runs/{RUN_ID}/charts.json", {"metric": "loss", **query})
        assert answer.status_code == 200, answer.content
        return answer.json()["metrics"][0]["lines"][0]

    return ask


def test_the_axis_is_the_step_the_time_or_a_metric(root_dir: Path, index: Index, line: Callable[..., Any]):
    records: list[dict[str, Any]] = [
        {"global_step": 1, "loss": 5, "time": CREATED_AT + 30},
        {"global_step": 2, "loss": 4, "time": CREATED_AT + 10},
        {"global_step": 2, "epoch": 0.5},  # at the same step, in a record of its own
        {"global_step": 3, "loss": 3, "epoch": 0.75, "time": CREATED_AT + 20},
    ]
    write_run(root_dir, records=records)
    index()

    assert (line()["x"], line()["y"], line()["steps"]) == ([1, 2, 3], [5, 4, 3], None)
    by_time = line(x="relative")
    assert (by_time["x"], by_time["y"], by_time["steps"]) == ([10, 20, 30], [4, 3, 5], [2, 3, 1])
    assert line(x="time")["x"] == [CREATED_AT + 10, CREATED_AT + 20, CREATED_AT + 30]
    assert (line(x="epoch")["x"], line(x="epoch")["y"]) == ([0.5, 0.75], [4, 3])
    assert line(x="unheard")["x"] == []


def test_smoothing_is_taken_over_every_point_and_kept_apart(root_dir: Path, index: Index, line: Callable[..., Any]):
    values = np.random.default_rng(3).normal(size=5000)
    write_run(root_dir, records=[{"global_step": step, "loss": value} for step, value in enumerate(values.tolist())])
    index()

    whole = line(smooth=0.95, points=100)
    part = line(smooth=0.95, first=4000, last=4009)

    assert len(whole["x"]) <= 100
    expected = by_definition(values, 0.95)
    np.testing.assert_allclose(whole["smooth_y"], expected[whole["smooth_x"]], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(part["smooth_y"], expected[4000:4010], rtol=1e-9, atol=1e-12)
    assert part["y"] == pytest.approx(values[4000:4010])
    assert max(whole["y"]) == pytest.approx(values.max())
    assert whole == line(smooth=0.95, points=100), "the same on every reload"


def test_what_is_not_finite_is_marked_on_the_chosen_axis(root_dir: Path, index: Index, line: Callable[..., Any]):
    values = [1.0, "NaN", 2.0, "-Infinity"]
    write_run(root_dir, records=[{"global_step": step, "loss": value} for step, value in enumerate(values)])
    index()

    by_time = line(x="relative", smooth=0.5)

    assert by_time["non_finite"] == [[1, "nan"], [3, "-inf"]]
    assert (by_time["non_finite_count"], by_time["total"], by_time["last_value"]) == (2, 4, None)
    np.testing.assert_allclose(by_time["smooth_y"], by_definition(np.array([1.0, 2.0]), 0.5))
    assert line(first=2, last=2)["non_finite"] == []


@pytest.mark.parametrize("name", ["time", "stage", "global_step", "never"])
def test_what_is_no_metric_has_no_line_and_breaks_nothing(root_dir: Path, index: Index, client: Client, name: str):
    write_run(root_dir, records=[{"global_step": 1, "loss": 1, "stage": "train"}])
    index()

    assert client.get(f"/runs/{RUN_ID}/charts.json?metric={name}&metric=loss&x=step").status_code == 200
    assert client.get(f"/runs/{RUN_ID}/charts.json?metric=loss&x={name}").status_code == 200


@pytest.mark.parametrize("query", ["smooth=1", "smooth=-0.1", "smooth=nan", "smooth=much", "first=x", "points=x"])
def test_what_cannot_be_drawn_is_refused(root_dir: Path, index: Index, client: Client, query: str):
    write_run(root_dir)
    index()

    assert client.get(f"/runs/{RUN_ID}/charts.json?metric=loss&{query}").status_code == 400


def test_large_answers_are_compressed_where_the_browser_takes_it(root_dir: Path, index: Index, client: Client):
    write_run(root_dir, records=[{"global_step": step, "loss": step % 97} for step in range(5000)])
    index()
    address = f"/runs/{RUN_ID}/charts.json?metric=loss&points=4000"

    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3
