"""Threads, processes and machines that write one run at the same time."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

import runicorn as rn
from runicorn import heartbeat as heartbeat_module
from runicorn.heartbeat import led_by_another
from runicorn.storage.liveness import this_machine
from tests.training_scripts import (
    document,
    events,
    log_lines,
    only_run,
    records,
    run_script,
    start_script,
    wait_for_line,
    wait_until,
)

RUN_ID = "20250114_153045_a1b2c3"
OPEN = f"run = rn.init(project='vision', run_id='{RUN_ID}', capture_env=False)\n"


def test_threads_lose_and_double_no_step(run):
    def work(number):
        for count in range(2000):
            run.log(thread=number, count=count)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = records(run.run_dir)
    assert sorted(record["global_step"] for record in found) == list(range(1, 16_001))
    for number in range(8):
        assert [record["count"] for record in found if record["thread"] == number] == list(range(2000))


def test_threads_find_the_best_value_together(run):
    run.set_primary_metric("acc")

    def work(number):
        for count in range(1000):
            run.log(acc=(count * 7919 + number * 104729) % 100_003)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()

    found = records(run.run_dir)
    summary = document(run.run_dir, "summary.json")
    assert summary["best_metric_value"] == max(record["acc"] for record in found)
    assert summary["best_metric_value"] == next(
        record["acc"] for record in found if record["global_step"] == summary["best_metric_step"]
    )


@pytest.mark.skipif(os.name == "nt", reason="on Windows each process writes files of its own")
def test_processes_that_start_one_run_at_once_share_it_and_every_record_is_there(root):
    code = f"""
    import sys, time
    {OPEN}
    for i in range(3000):
        rn.log(i=i, pad="x" * 300)
    print("line of", run.id)
    """
    processes = [start_script(code, root=root) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors

    run_dir = only_run(root)
    found = records(run_dir)
    assert sorted(record["i"] for record in found) == sorted(list(range(3000)) * 4)
    assert all(record["pad"] == "x" * 300 for record in found)
    assert log_lines(run_dir) == [f"line of {RUN_ID}"] * 4
    assert document(run_dir, "status.json")["status"] == "finished"


def test_a_second_process_joins_a_live_run_and_its_end_does_not_end_it(root):
    leader = start_script(f"{OPEN}rn.log(who=1)\nprint('ready', flush=True)\ninput()\nrn.log(who=1)", root=root)
    wait_for_line(leader, "ready")
    meta = document(only_run(root), "meta.json")

    run_script(f"{OPEN}rn.log(who=2)", root=root)
    status_in_between = document(only_run(root), "status.json")["status"]
    leader.communicate("\n", timeout=20)

    run_dir = only_run(root)
    assert status_in_between == "running"
    assert document(run_dir, "meta.json") == meta
    assert events(run_dir, type="attempt") == []
    if os.name != "nt":
        assert [record["who"] for record in records(run_dir)] == [1, 2, 1]
    assert document(run_dir, "status.json")["status"] == "finished"


def test_a_process_that_joined_ends_the_run_if_its_leader_has_died(root):
    leader = start_script(f"{OPEN}print('ready', flush=True)\ninput()", root=root)
    wait_for_line(leader, "ready")
    follower = start_script(f"{OPEN}print('ready', flush=True)\ninput()\nrn.finish('failed')", root=root)
    wait_for_line(follower, "ready")

    leader.kill()
    leader.communicate()
    follower.communicate("\n", timeout=20)

    assert document(only_run(root), "status.json")["status"] == "failed"


def lead_from_elsewhere(run_dir, *, age_s=0.0):
    """Make the run look like one of another machine that beat ``age_s`` ago."""
    path = run_dir / "heartbeat.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "boot_id": "another", "host": "gpu2", "pid": 1}))
    os.utime(path, (time.time() - age_s,) * 2)


class TestAnotherHost:
    def test_a_run_that_lives_elsewhere_gets_files_of_its_own_beside_the_first(self, run):
        run.log(x=1, step=30)
        lead_from_elsewhere(run.run_dir)

        joined = rn.init(project="vision", name="vit", run_id=run.id, capture_env=False, console=False)
        joined.log(x=2)
        joined.log_text("hello")
        joined.finish()

        suffix = f"{this_machine().hostname}-{os.getpid()}"
        assert [record["global_step"] for record in records(run.run_dir, f"events.{suffix}.jsonl")] == [31]
        assert log_lines(run.run_dir, f"logs.{suffix}.txt") == ["hello"]
        assert [record["x"] for record in records(run.run_dir)] == [1]
        assert not (run.run_dir / "logs.index.jsonl").exists()
        assert document(run.run_dir, "status.json")["status"] == "running"

    def test_a_run_that_fell_silent_elsewhere_is_resumed_in_its_own_files(self, run):
        run.log(x=1)
        lead_from_elsewhere(run.run_dir, age_s=61)

        resumed = rn.init(project="vision", name="vit", run_id=run.id, capture_env=False, console=False)
        resumed.log(x=2)

        assert [record["global_step"] for record in records(run.run_dir)] == [1, 2]
        assert document(run.run_dir, "meta.json")["attempt"] == 2
        assert document(run.run_dir, "heartbeat.json")["attempt"] == 2


class TestHeartbeat:
    def test_it_names_the_process_and_when(self, run):
        psutil = pytest.importorskip("psutil")

        beat = document(run.run_dir, "heartbeat.json")

        started_at = beat.pop("process_started_at")
        assert started_at == pytest.approx(psutil.Process().create_time(), abs=1)
        assert beat.pop("ts") == pytest.approx(time.time(), abs=60)
        machine = this_machine()
        assert beat == {
            "interval_s": 15.0,
            "host": machine.hostname,
            "boot_id": machine.boot_id,
            "pid_namespace": machine.pid_namespace,
            "pid": os.getpid(),
            "attempt": 1,
        }

    def test_it_beats_until_the_run_is_finished(self, root, monkeypatch):
        monkeypatch.setattr(heartbeat_module, "HEARTBEAT_INTERVAL_S", 0.05)
        run = rn.init(capture_env=False, console=False)

        first = document(run.run_dir, "heartbeat.json")["ts"]
        wait_until(lambda: document(run.run_dir, "heartbeat.json")["ts"] > first)
        run.finish()
        run._heartbeat._thread.join(5)
        last = document(run.run_dir, "heartbeat.json")["ts"]
        time.sleep(0.2)

        assert document(run.run_dir, "heartbeat.json")["ts"] == last
        assert list(run.run_dir.glob(".heartbeat*")) == []

    def test_a_disk_that_cannot_be_written_is_counted_and_the_next_beat_comes(self, forgiving, monkeypatch, caplog):
        monkeypatch.setattr(heartbeat_module, "HEARTBEAT_INTERVAL_S", 0.02)
        run = rn.init(capture_env=False, console=False)
        real = heartbeat_module.write_heartbeat

        def fails(*arguments, **options):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(heartbeat_module, "write_heartbeat", fails)
        wait_until(lambda: run._guard.counts["heartbeats"] >= 2)
        monkeypatch.setattr(heartbeat_module, "write_heartbeat", real)
        first = document(run.run_dir, "heartbeat.json")["ts"]
        wait_until(lambda: document(run.run_dir, "heartbeat.json")["ts"] > first)

        wait_until(lambda: caplog.text.count("Input/output error") == 1)

    def test_a_mistake_of_ours_is_counted_and_the_next_beat_comes(self, forgiving, monkeypatch, caplog):
        monkeypatch.setattr(heartbeat_module, "HEARTBEAT_INTERVAL_S", 0.02)
        run = rn.init(capture_env=False, console=False)
        with monkeypatch.context() as broken:
            broken.setattr(heartbeat_module, "write_heartbeat", None)
            wait_until(lambda: run._guard.counts["calls"] >= 2)
        first = document(run.run_dir, "heartbeat.json")["ts"]

        wait_until(lambda: document(run.run_dir, "heartbeat.json")["ts"] > first)
        assert caplog.text.count("TypeError") == 1

    def test_a_process_that_joined_takes_over_and_corrects_a_premature_end(self, run):
        lead_from_elsewhere(run.run_dir)
        joined = rn.init(project="vision", name="vit", run_id=run.id, capture_env=False, console=False)
        joined._heartbeat.beat()
        leads_while_the_other_lives = joined._heartbeat.leads

        lead_from_elsewhere(run.run_dir, age_s=100)
        ended = {"status": "failed", "ended_at": 5.0, "exit_reason": "process_not_found", "started_at": 1.0}
        (run.run_dir / "status.json").write_text(json.dumps(ended))
        joined._heartbeat.beat()

        assert not leads_while_the_other_lives
        assert joined._heartbeat.leads
        assert document(run.run_dir, "heartbeat.json")["pid"] == os.getpid()
        status = document(run.run_dir, "status.json")
        assert (status["status"], "ended_at" in status, "exit_reason" in status) == ("running", False, False)

    def test_a_process_that_joined_leaves_a_finished_run_finished(self, run):
        lead_from_elsewhere(run.run_dir)
        joined = rn.init(project="vision", name="vit", run_id=run.id, capture_env=False, console=False)
        (run.run_dir / "status.json").write_text('{"status": "finished"}')

        joined._heartbeat.beat()
        joined.finish("failed")

        assert document(run.run_dir, "status.json") == {"status": "finished"}

    def test_this_process_is_not_another(self, run):
        assert not led_by_another(run.run_dir, now=time.time())
