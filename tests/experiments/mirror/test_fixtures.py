"""Storage roots written by the real packages of earlier versions."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.models import Media, MetricSeries, Problem, Run
from tests.components import fixtures

pytestmark = pytest.mark.django_db(databases=["index"])


@pytest.fixture
def unpack(root_dir: Path) -> Callable[[str], None]:
    def run(archive: str) -> None:
        with tarfile.open(fixtures() / archive) as tar:
            tar.extractall(root_dir.parent, filter="data")
        root_dir.rmdir()
        (root_dir.parent / archive.removesuffix(".tar.gz")).rename(root_dir)

    return run


def test_a_root_of_0_4_1_is_indexed_with_exactly_its_values(tick: Callable[[], None], unpack: Callable[[str], None]):
    unpack("storage-0.4.1.tar.gz")

    tick()

    rows = Run.objects.order_by("run_id").values_list("project", "name", "status", "record_count", "best_metric_value")
    assert list(rows) == [
        ("digits", "prepare-data", "finished", 0, None),
        ("digits", "sgd-sweep", "finished", 88, 0.9407407407407408),
        ("digits", "sgd-sweep", "finished", 88, 0.9518518518518518),
        ("digits", "sgd-sweep", "finished", 88, 0.9277777777777778),
        ("digits", "re-register", "finished", 0, None),
        ("digits", "diverged", "failed", 20, None),
        ("nlp-测试", "中文 实验", "interrupted", 1, None),
        ("digits", "crashed", "running", 1, None),
    ]
    assert not Problem.objects.exists()
    assert Media.objects.count() == 3


def test_bare_nan_tokens_of_0_4_1_are_counted_and_kept_out_of_the_figures(
    tick: Callable[[], None], unpack: Callable[[str], None]
):
    unpack("storage-0.4.1.tar.gz")

    tick()

    loss = MetricSeries.objects.get(run__name="diverged", key__name="loss")
    assert (loss.count, loss.non_finite_count, loss.last_value) == (20, 5, None)
    assert (loss.min_value, loss.max_value, loss.max_step) == (1.0, 16384.0, 15)


def test_a_root_of_0_7_2_is_indexed_with_its_paths_aliases_and_arguments(
    tick: Callable[[], None], unpack: Callable[[str], None]
):
    unpack("storage-0.7.2.tar.gz")

    tick()

    rows = Run.objects.order_by("run_id").values_list("project", "name", "display_name", "status", "record_count")
    assert list(rows) == [
        ("vision", "resnet/lr0", "lr-0", "finished", 50),
        ("vision", "resnet/lr1", "lr-1", "finished", 50),
        ("vision", "resnet/lr2", "lr-2", "finished", 50),
    ]
    assert Run.objects.get(name="resnet/lr2").detail.config == {"lr": 0.01, "batch": 32}
