"""Whether the process behind a run lives: the judgement as a table, and the facts it is fed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runicorn.storage.liveness import Life, Machine, Process, find_process, judge, this_machine

HERE = Machine(hostname="gpu1", boot_id="boot-a", pid_namespace="pid:[1]")
STARTED_AT = 1_700_000_000.0
NOW = STARTED_AT + 3600
META = {"hostname": "gpu1", "pid": 42}
STATUS = {"status": "running", "started_at": STARTED_AT}
BEAT = {
    "ts": NOW - 5,
    "interval_s": 15.0,
    "host": "gpu1",
    "boot_id": "boot-a",
    "pid_namespace": "pid:[1]",
    "pid": 42,
    "process_started_at": STARTED_AT - 2,
    "attempt": 1,
}
SAME = Process(STARTED_AT - 2)
LATER = Process(NOW - 100)
HIDDEN = Process(None)

CASES = {
    "same machine, process there": (BEAT, 5, SAME, Life.ALIVE),
    "same machine, process gone": (BEAT, 5, None, Life.DEAD),
    "same machine, its start time may not be seen": (BEAT, 5, HIDDEN, Life.ALIVE),
    "same machine, pid reused, silent": (BEAT, 300, LATER, Life.DEAD),
    "same machine, the clock was set, still beating": (BEAT, 5, LATER, Life.ALIVE),
    "same machine, process there but stopped for an hour": (BEAT, 3600, SAME, Life.ALIVE),
    "other boot, beating": ({**BEAT, "boot_id": "boot-b"}, 59, None, Life.ALIVE),
    "other boot, silent": ({**BEAT, "boot_id": "boot-b"}, 61, None, Life.UNKNOWN),
    "other pid namespace, beating": ({**BEAT, "pid_namespace": "pid:[2]"}, 5, None, Life.ALIVE),
    "other pid namespace, silent": ({**BEAT, "pid_namespace": "pid:[2]"}, 500, None, Life.UNKNOWN),
    "elsewhere, with a longer interval": ({**BEAT, "boot_id": "b", "interval_s": 60}, 200, None, Life.ALIVE),
    "elsewhere, dated far in the future": ({**BEAT, "boot_id": "b"}, -86400, None, Life.UNKNOWN),
    "a machine that tells no boot id": ({**BEAT, "boot_id": None}, 500, None, Life.UNKNOWN),
    "a pid that is none": ({**BEAT, "pid": "42"}, 500, None, Life.UNKNOWN),
    "an interval that is none": ({**BEAT, "boot_id": "b", "interval_s": "often"}, 30, None, Life.ALIVE),
}


def verdict(heartbeat, age, process, *, meta=META, status=STATUS, machine=HERE):
    return judge(
        meta=meta,
        status=status,
        heartbeat=heartbeat,
        heartbeat_changed_at=None if age is None else NOW - age,
        machine=machine,
        now=NOW,
        find_process=lambda pid: process,
    )


@pytest.mark.parametrize(("heartbeat", "age", "process", "life"), CASES.values(), ids=CASES.keys())
def test_a_run_with_a_heartbeat(heartbeat, age, process, life):
    assert verdict(heartbeat, age, process).life is life


@pytest.mark.parametrize(
    ("meta", "process", "life"),
    [
        (META, SAME, Life.ALIVE),
        (META, None, Life.DEAD),
        (META, LATER, Life.DEAD),
        (META, Process(STARTED_AT + 3), Life.ALIVE),
        (META, HIDDEN, Life.ALIVE),
        ({**META, "hostname": "gpu2"}, None, Life.UNKNOWN),
        ({"hostname": "gpu1"}, None, Life.UNKNOWN),
        ({**META, "pid": True}, None, Life.UNKNOWN),
        ({}, None, Life.UNKNOWN),
    ],
)
def test_a_run_of_an_older_version_without_a_heartbeat(meta, process, life):
    assert verdict(None, None, process, meta=meta).life is life


def test_two_machines_without_boot_ids_are_never_the_same():
    nowhere = Machine(hostname="gpu1", boot_id=None, pid_namespace=None)

    assert verdict({**BEAT, "boot_id": None, "pid_namespace": None}, 500, None, machine=nowhere).life is Life.UNKNOWN


def test_the_last_sign_of_life_is_the_latest_time_that_the_files_name():
    assert verdict(BEAT, 300, None).last_sign_at == NOW - 5
    assert verdict(BEAT, 2, None).last_sign_at == NOW - 2
    assert verdict(None, None, None).last_sign_at == STARTED_AT
    assert verdict(None, None, None, status={"started_at": "soon"}).last_sign_at is None


def test_this_process_is_found_with_its_start_time():
    psutil = pytest.importorskip("psutil")

    process = find_process(os.getpid())

    assert process is not None
    assert process.started_at == pytest.approx(psutil.Process().create_time(), abs=1.0)


def test_a_process_that_ended_is_not_found_whether_it_was_reaped_or_not():
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.read()  # type: ignore[union-attr]  # ends when the child is about to end
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    zombie = find_process(child.pid)
    child.communicate()

    assert zombie is None
    assert find_process(child.pid) is None


def test_this_machine_is_the_same_for_two_processes():
    code = "from runicorn.storage.liveness import this_machine; print(tuple(this_machine()))"

    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert other.stdout.strip() == str(tuple(this_machine()))
