"""rn.log: steps, stages, values, and what happens to calls that make no sense."""

from __future__ import annotations

import asyncio
import logging
import math
import os

import pytest

import runicorn as rn
from tests.training_scripts import document, records


def steps(run):
    return [record["global_step"] for record in records(run.run_dir)]


def test_a_record_holds_step_time_and_the_merged_metrics(run):
    run.log({"loss": 0.5, "acc": 0.1}, acc=0.2)

    (record,) = records(run.run_dir)
    assert record.pop("time") == pytest.approx(__import__("time").time(), abs=60)
    assert record == {"global_step": 1, "loss": 0.5, "acc": 0.2}


def test_automatic_steps_begin_at_one_and_go_on_after_an_explicit_one(run):
    for step in (None, None, 10, None, 3, None, -5, None):
        run.log(x=1, step=step)

    assert steps(run) == [1, 2, 10, 11, 3, 4, -5, -4]


def test_steps_and_times_among_the_metrics_are_ignored(run):
    run.log({"step": 77, "global_step": 78, "time": 79, "epoch": 2})

    (record,) = records(run.run_dir)
    assert record["global_step"] == 1
    assert record["time"] > 1e9
    assert set(record) == {"global_step", "time", "epoch"}


def test_the_explicit_stage_wins_over_that_of_the_metrics(run):
    run.log({"x": 1, "stage": "inner"})
    run.log({"x": 1, "stage": "inner"}, stage="outer")

    assert [record["stage"] for record in records(run.run_dir)] == ["inner", "outer"]


def test_inside_an_event_loop_nothing_is_different(run):
    async def train():
        run.log(x=1)
        await asyncio.sleep(0)
        run.log(x=2)

    asyncio.run(train())

    assert [record["x"] for record in records(run.run_dir)] == [1, 2]


def test_a_metric_may_be_called_like_a_parameter_of_ours(run):
    run.log({"data": 1, "self": 2, "key": 3})

    (record,) = records(run.run_dir)
    assert (record["data"], record["self"], record["key"]) == (1, 2, 3)


@pytest.mark.parametrize(("step", "expected"), [(7.9, 7), ("12", 12), (True, 1), (2**63 - 1, 2**63 - 1)])
def test_a_step_that_can_become_an_integer_does(run, step, expected):
    run.log(x=1, step=step)

    assert steps(run) == [expected]


@pytest.mark.parametrize("step", ["many", math.nan, math.inf, 2**63, -(2**63) - 1, object(), [1]])
def test_a_step_that_cannot_counts_as_none_given_with_a_warning(forgiving, run, step, caplog):
    run.log(x=1, step=step)
    run.log(x=1, step=step)

    assert steps(run) == [1, 2]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_step_after_the_largest_possible_one_stays_there(run):
    run.log(x=1, step=2**63 - 1)
    run.log(x=1)

    assert steps(run) == [2**63 - 1] * 2


def test_numpy_steps_are_taken(run):
    np = pytest.importorskip("numpy")

    run.log(x=1, step=np.int64(41))
    run.log(x=1)

    assert steps(run) == [41, 42]


def test_non_finite_values_are_kept_as_words(run):
    run.log(a=math.nan, b=math.inf, c=-math.inf, d=1.0)

    (record,) = records(run.run_dir)
    assert (record["a"], record["b"], record["c"], record["d"]) == ("NaN", "Infinity", "-Infinity", 1.0)


def test_an_unstorable_value_is_left_out_with_one_warning_and_counted_at_the_end(forgiving, run, caplog):
    for _ in range(3):
        run.log(x=1, model=object())
    run.finish()

    assert [set(record) for record in records(run.run_dir)] == [{"global_step", "time", "x"}] * 3
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "'model'" in messages[0]
    assert "lost: 3 values" in messages[1]


@pytest.mark.parametrize("nonsense", [0.5, "loss", [1, 2], object()])
def test_something_that_is_no_dict_is_reported_and_raises_nothing(forgiving, run, nonsense, caplog):
    run.log(nonsense)

    assert "log() takes a dict" in caplog.text


def test_a_mistake_of_ours_is_logged_with_its_traceback_and_raises_nothing(forgiving, run, monkeypatch, caplog):
    def broken(*arguments):
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("runicorn.run.encode_event", broken)

    run.log(x=1)

    assert "a mistake" in caplog.text


def test_strict_mode_raises(run):
    with pytest.raises(RuntimeError, match="model"):
        run.log(model=object())


def test_an_unknown_kind_of_mapping_is_taken(run):
    from types import MappingProxyType

    run.log(MappingProxyType({"x": 1}))

    assert records(run.run_dir)[0]["x"] == 1


def test_keys_that_are_no_texts_become_texts(run):
    run.log({1: 2, None: 3})

    (record,) = records(run.run_dir)
    assert (record["1"], record["None"]) == (2, 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rn.log(x=1),
        lambda: rn.log_text("x"),
        lambda: rn.log_image("x", b""),
        lambda: rn.summary({}),
        lambda: rn.set_primary_metric("x"),
        lambda: rn.finish(),
    ],
)
def test_without_a_run_every_function_says_that_init_comes_first(call):
    with pytest.raises(RuntimeError, match=r"runicorn\.init\(\)"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.log(x=1),
        lambda run: run.log_text("x"),
        lambda run: run.log_image("x", b""),
        lambda run: run.summary({}),
        lambda run: run.set_primary_metric("x"),
    ],
)
def test_a_finished_run_takes_nothing_more(run, call):
    run.log(x=1)
    run.finish()
    before = {path.name: path.read_bytes() for path in run.run_dir.iterdir() if path.is_file()}

    with pytest.raises(RuntimeError, match="is finished"):
        call(run)

    assert {path.name: path.read_bytes() for path in run.run_dir.iterdir() if path.is_file()} == before


def test_the_module_s_functions_write_to_the_active_run(run):
    rn.log({"x": 1}, step=5, stage="train")
    rn.log_text("hello")
    rn.summary({"best": 2})

    assert rn.get_active_run() is run
    assert records(run.run_dir)[0]["stage"] == "train"
    assert (run.run_dir / "logs.txt").read_text("utf-8").endswith(" | hello\n")
    assert document(run.run_dir, "summary.json") == {"best": 2}


def test_a_second_init_replaces_the_active_run_without_finishing_it(run):
    second = rn.init(capture_env=False, console=False)
    rn.log(x=2)

    assert rn.get_active_run() is second
    assert records(run.run_dir) == []
    assert document(run.run_dir, "status.json")["status"] == "running"
    run.finish()
    assert rn.get_active_run() is second


def test_a_full_disk_is_warned_about_once_and_counted(forgiving, run, monkeypatch, caplog):
    run.log(x=1)
    real = os.write
    monkeypatch.setattr("runicorn.storage.append.os.write", fails_with_no_space)
    for _ in range(5):
        run.log(x=1)
    monkeypatch.setattr("runicorn.storage.append.os.write", real)
    run.log(x=7)
    run.finish()

    assert [record["global_step"] for record in records(run.run_dir)] == [1, 7]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "lost: 5 records" in caplog.text


def fails_with_no_space(descriptor, data):
    raise OSError(28, "No space left on device")
