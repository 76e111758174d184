"""summary.json and the best value of the primary metric."""

from __future__ import annotations

import json
import math
import os

import pytest

from runicorn.errors import InvalidInput
from runicorn.storage.file_lock import file_lock
from tests.training_scripts import document, only_run, run_script, start_script


def summary_of(run):
    return document(run.run_dir, "summary.json")


def test_later_values_win_and_keys_of_others_stay(run):
    run.summary({"a": 1, "b": {"c": 1}})
    (run.run_dir / "summary.json").write_text(json.dumps({**summary_of(run), "by hand": True}))

    run.summary({"b": 2})

    assert summary_of(run) == {"a": 1, "b": 2, "by hand": True}


def test_values_are_stored_as_in_log(run):
    np = pytest.importorskip("numpy")

    run.summary({"f": np.float64(0.5), "nan": math.nan, 3: (1, 2)})

    assert summary_of(run) == {"f": 0.5, "nan": "NaN", "3": [1, 2]}


@pytest.mark.parametrize("nonsense", [5, None, "text"])
def test_something_that_is_no_dict_is_reported(forgiving, run, nonsense, caplog):
    run.summary(nonsense)

    assert "summary() takes a dict" in caplog.text


def test_a_broken_file_is_reported_and_stays_as_it_is(forgiving, run, caplog):
    (run.run_dir / "summary.json").write_text("{broken")

    run.summary({"a": 1})

    assert (run.run_dir / "summary.json").read_text() == "{broken"
    assert "summary.json" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="on Windows a second process writes later")
def test_processes_that_write_at_once_lose_no_key(root):
    run_id = "20250114_153045_a1b2c3"
    code = f"""
    import os
    rn.init(run_id="{run_id}", capture_env=False)
    for i in range(25):
        rn.summary({{f"{{os.getpid()}}-{{i}}": i}})
    """
    processes = [start_script(code, root=root) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors

    assert len(document(only_run(root), "summary.json")) == 100


def test_a_lock_that_is_never_let_go_is_waited_for_a_while_and_the_summary_written_all_the_same(run, monkeypatch):
    monkeypatch.setattr("runicorn.run_summary.LOCK_TIMEOUT_S", 0.05)
    with file_lock(run.run_dir / "summary.json.lock", timeout_s=0) as held:
        run.summary({"a": 1})

    assert held
    assert summary_of(run) == {"a": 1}


def test_a_taken_lock_is_asked_for_until_the_time_is_over(tmp_path):
    times = iter([0.0, 4.9, 5.1])
    with (
        file_lock(tmp_path / "lock", timeout_s=0, clock=lambda: 0.0) as first,
        file_lock(tmp_path / "lock", timeout_s=5, clock=lambda: next(times)) as second,
    ):
        assert (first, second) == (True, False)
    with file_lock(tmp_path / "lock", timeout_s=0) as third:
        assert third


@pytest.mark.parametrize(("mode", "value", "step"), [("max", 0.9, 3), ("min", -2, 6)])
def test_the_best_value_is_the_first_of_the_best_finite_ones(run, mode, value, step):
    run.set_primary_metric("acc", mode)
    for acc in (math.nan, 0.5, 0.9, 0.9, math.inf, -2, -math.inf, "NaN", None, True):
        run.log(acc=acc)
    run.log(other=100)
    run.finish()

    assert summary_of(run) == {
        "best_metric_name": "acc",
        "best_metric_mode": mode,
        "best_metric_value": value,
        "best_metric_step": step,
    }


def test_name_and_mode_are_written_at_once(run):
    run.set_primary_metric("loss", mode="min")

    assert summary_of(run) == {"best_metric_name": "loss", "best_metric_mode": "min"}


def test_setting_it_again_starts_anew(run):
    run.set_primary_metric("acc")
    run.log(acc=0.9)
    run.set_primary_metric("acc")
    run.log(acc=0.4)
    run.finish()

    assert summary_of(run)["best_metric_value"] == 0.4


def test_a_metric_that_never_came_has_no_best_value(run):
    run.set_primary_metric("acc")
    run.finish()

    assert summary_of(run) == {"best_metric_name": "acc", "best_metric_mode": "max"}


def test_numpy_values_and_huge_integers_are_compared(run):
    np = pytest.importorskip("numpy")

    run.set_primary_metric("acc")
    run.log(acc=10**400)
    run.log(acc=np.float32(0.5))
    run.finish()

    assert summary_of(run)["best_metric_value"] == 0.5


@pytest.mark.parametrize(("name", "mode"), [("acc", "biggest"), ("acc", None), ("", "max"), (None, "max")])
def test_other_modes_and_names_are_refused(run, name, mode):
    with pytest.raises(InvalidInput):
        run.set_primary_metric(name, mode)


def test_a_killed_script_leaves_name_and_mode_for_the_viewer(root):
    run_script(
        """
        import os
        rn.init(capture_env=False)
        rn.set_primary_metric("acc")
        rn.log(acc=1)
        os._exit(1)
        """,
        root=root,
        check=False,
    )

    assert document(only_run(root), "summary.json") == {"best_metric_name": "acc", "best_metric_mode": "max"}
