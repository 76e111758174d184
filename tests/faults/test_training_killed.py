"""What is left of a run when its process is killed, stopped, or out of disk space."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time

import pytest

from runicorn.heartbeat import verdict_on
from runicorn.storage.liveness import Life
from tests.training_scripts import (
    document,
    drop_torn_line,
    events,
    log_lines,
    only_run,
    records,
    run_script,
    start_script,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")

#: Logs without end; the acknowledgement of each step goes out by a pipe after log() has returned.
ENDLESS = """
import itertools, os
rn.init(project="vision", capture_env=False, console=False)
for i in itertools.count(1):
    rn.log({"loss": 1 / i, "acc": i / 7, "lr": 1e-3, "norm": 2.5, "throughput": 1234.5})
    os.write(1, b"%d\\n" % i)
"""


def last_acknowledged(process: subprocess.Popen[str]) -> int:
    """The last whole number that the killed script had sent."""
    output, _ = process.communicate(timeout=20)
    return int(output.rpartition("\n")[0].rpartition("\n")[2] or 0)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.mark.parametrize("attempt", range(5))
def test_a_killed_process_loses_no_acknowledged_step(root, attempt):
    process = start_script(ENDLESS, root=root)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(attempt).uniform(0.0, 0.2))
    process.kill()
    acknowledged = last_acknowledged(process)

    steps = [record["global_step"] for record in records(only_run(root))]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= acknowledged > 1


def test_a_killed_process_is_found_dead_and_its_run_can_be_resumed(root):
    process = start_script(ENDLESS, root=root)
    assert process.stdout is not None
    process.stdout.readline()
    run_dir = only_run(root)
    alive, _ = verdict_on(run_dir, now=time.time())
    process.kill()
    process.communicate()

    dead, _ = verdict_on(run_dir, now=time.time())
    drop_torn_line(run_dir)
    before = len(records(run_dir))
    run_script(f"rn.init(run_id={run_dir.name!r}, resume='must', capture_env=False).log(x=1)", root=root)

    assert (alive.life, dead.life) == (Life.ALIVE, Life.DEAD)
    assert records(run_dir)[-1]["global_step"] == before + 1
    assert document(run_dir, "status.json")["status"] == "finished"


def test_a_stopped_process_has_every_acknowledged_line_in_the_file(root):
    process = start_script(ENDLESS, root=root)
    assert process.stdout is not None
    process.stdout.readline()
    acknowledged = 1
    moments = random.Random(7)
    try:
        for _ in range(10):
            time.sleep(moments.uniform(0.001, 0.05))
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            text = (only_run(root) / "events.jsonl").read_bytes()
            written = text.count(b"\n")
            # what it has sent is in the pipe up to the last whole line; read without waiting for more
            acknowledged = max(acknowledged, read_ready(process))
            lines = [json.loads(line) for line in text.split(b"\n")[:written]]
            process.send_signal(signal.SIGCONT)

            assert [line["data"]["global_step"] for line in lines] == list(range(1, written + 1))
            assert written >= acknowledged
    finally:
        process.kill()
        process.communicate()


def read_ready(process: subprocess.Popen[str]) -> int:
    """The largest number that waits in the pipe of a stopped process."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    text = b""
    try:
        while piece := os.read(descriptor, 1 << 16):
            text += piece
    except BlockingIOError:
        pass
    finally:
        os.set_blocking(descriptor, True)
    numbers = text.rpartition(b"\n")[0].rpartition(b"\n")[2]
    return int(numbers or 0)


def test_a_limit_on_the_file_s_size_costs_records_but_no_training(root):
    """RLIMIT_FSIZE makes the last write short and the next ones fail, as a full disk does."""
    done = run_script(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        run = rn.init(project="vision", capture_env=False, console=False)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        for i in range(500):
            rn.log(i=i)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        rn.log(i="after")
        rn.log(i="last")
        print(run._guard.counts["records"])
        """,
        root=root,
    )

    run_dir = only_run(root)
    lines = (run_dir / "events.jsonl").read_bytes().split(b"\n")
    whole = [line for line in lines if line.endswith(b"}}")]
    torn = [line for line in lines if line and not line.endswith(b"}}")]
    found = [json.loads(line)["data"]["i"] for line in whole]
    lost = int(done.stdout)
    assert found == [*range(len(found) - 2), "after", "last"]
    assert len(found) - 2 + lost == 500
    assert len(torn) <= 1
    assert done.stderr.count("cannot be written") == 1
    assert f"lost: {lost} records" in done.stderr
    assert document(run_dir, "status.json")["status"] == "finished"


def test_a_run_directory_that_vanishes_costs_records_but_no_training(root):
    done = run_script(
        """
        import shutil
        run = rn.init(project="vision", capture_env=False)
        shutil.rmtree(run.run_dir)
        rn.log(x=1)
        rn.log_text("x")
        rn.summary({"a": 1})
        rn.log_image("x", b"abc")
        run.config.update({"a": 1})
        print("trained")
        """,
        root=root,
    )

    assert done.stdout == "trained\n"
    assert "lost" in done.stderr
    assert list((root / "vision" / "default" / "runs").iterdir()) == []


def test_a_process_killed_while_it_resumes_leaves_readable_documents(root):
    """Killed at random moments of twenty resumes, one after the other: each document is whole, each record there."""
    run_id = "20250114_153045_a1b2c3"
    run_script(f"rn.init(run_id='{run_id}', capture_env=False).log(x=0)", root=root)
    moments = random.Random(3)
    for _ in range(20):
        process = start_script(
            f"print('go', flush=True)\nrn.init(run_id='{run_id}', capture_env=False).log(x=1)\nprint('logged')",
            root=root,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.01))
        process.kill()
        process.communicate()

    run_dir = only_run(root)
    for name in ("meta.json", "status.json", "heartbeat.json"):
        assert document(run_dir, name)
    attempts = [event["data"]["attempt"] for event in events(run_dir, type="attempt")]
    assert attempts == sorted(set(attempts))
    assert document(run_dir, "meta.json")["attempt"] >= max(attempts, default=1)


def test_the_log_of_a_killed_process_holds_what_it_printed(root):
    process = start_script(
        "import os\nrn.init(capture_env=False)\nprint('before', flush=True)\nos.kill(os.getpid(), 9)", root=root
    )
    process.communicate(timeout=20)

    assert log_lines(only_run(root)) == ["before"]
