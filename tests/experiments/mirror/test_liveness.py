"""Which running runs are called dead, silent or alive by the mirror."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.mirror.liveness import check_running_runs
from experiments.models import Run, StorageRoot
from runicorn.storage.documents import read_document
from runicorn.storage.liveness import process_started_at, this_machine
from tests.run_directories import write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Tick = Callable[[], None]


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def heartbeat(pid: int, *, ts: float, **other: object) -> dict[str, object]:
    machine = this_machine()
    return {
        "ts": ts,
        "interval_s": 15.0,
        "host": machine.hostname,
        "boot_id": machine.boot_id,
        "pid_namespace": machine.pid_namespace,
        "pid": pid,
        "process_started_at": process_started_at(pid) or ts,
        "attempt": 1,
        **other,
    }


def test_a_run_of_this_machine_whose_process_is_gone_failed_at_its_last_sign_of_life(
    root_dir: Path, root: StorageRoot, tick: Tick
):
    started_at = time.time() - 100
    run_dir = write_run(root_dir, status={"status": "running", "started_at": started_at})
    write_json(run_dir / "heartbeat.json", heartbeat(dead_pid(), ts=started_at + 50))
    last_sign = (run_dir / "heartbeat.json").stat().st_mtime
    tick()

    assert check_running_runs(root, now=time.time()) == (1, 1)

    run = Run.objects.get()
    assert (run.status, run.exit_reason) == ("failed", "process_not_found")
    assert run.ended_at == pytest.approx(last_sign, abs=1)
    on_disk = read_document(run_dir, "status.json")
    assert on_disk == {
        "status": "failed",
        "started_at": started_at,
        "ended_at": run.ended_at,
        "exit_reason": "process_not_found",
    }


def test_a_run_whose_process_lives_stays_running(root_dir: Path, root: StorageRoot, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running", "started_at": time.time()})
    write_json(run_dir / "heartbeat.json", heartbeat(os.getpid(), ts=time.time()))
    tick()

    assert check_running_runs(root, now=time.time()) == (1, 0)

    run = Run.objects.get()
    assert (run.status, run.silent) == ("running", False)


def test_a_run_of_another_machine_is_never_called_failed_only_silent(root_dir: Path, root: StorageRoot, tick: Tick):
    now = time.time()
    run_dir = write_run(root_dir, status={"status": "running", "started_at": now - 9000})
    write_json(run_dir / "heartbeat.json", heartbeat(1, ts=now, boot_id="another", host="gpu9"))
    tick()
    check_running_runs(root, now=now)
    assert Run.objects.get().silent is False

    os.utime(run_dir / "heartbeat.json", (now - 3600, now - 3600))
    check_running_runs(root, now=now + 120)

    run = Run.objects.get()
    assert (run.status, run.silent) == ("running", True)
    assert run.last_sign_at is not None
    status = read_document(run_dir, "status.json")
    assert status is not None
    assert status["status"] == "running"


def test_a_silent_run_that_speaks_again_is_no_longer_silent(root_dir: Path, root: StorageRoot, tick: Tick):
    run_dir = write_run(root_dir, status={"status": "running"})
    tick()
    check_running_runs(root, now=time.time())
    assert Run.objects.get().silent is True

    write_json(run_dir / "heartbeat.json", heartbeat(1, ts=time.time(), boot_id="another"))
    check_running_runs(root, now=time.time())

    assert Run.objects.get().silent is False


def test_a_dead_run_on_a_read_only_disk_is_failed_in_the_index_alone(
    root_dir: Path, root: StorageRoot, tick: Tick, monkeypatch: pytest.MonkeyPatch
):
    run_dir = write_run(root_dir, status={"status": "running"})
    write_json(run_dir / "heartbeat.json", heartbeat(dead_pid(), ts=1.0))
    tick()

    def refuse(*arguments: object, **more: object) -> None:  # permissions would not stop root
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("experiments.mirror.liveness.write_document", refuse)

    check_running_runs(root, now=time.time())

    assert Run.objects.get().status == "failed"
    assert (read_document(run_dir, "status.json") or {})["status"] == "running"
