"""What is in the file when a training process is killed or stopped at a random moment."""

from __future__ import annotations

import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import orjson

from benchmarks.measurement import Row, wait_until
from benchmarks.setting import Setting

#: Acknowledged steps before a process is killed: at most so many.
STEPS = 10_000


def measure(setting: Setting) -> list[Row]:
    choose = random.Random(3)
    tries = setting.size(20, 3)
    killed = [_lost(setting, "kill", choose.randint(STEPS // 2, STEPS)) for _ in range(tries)]
    stopped = [_lost(setting, "stop", choose.randint(1, STEPS)) for _ in range(tries)]
    return [
        Row(f"acknowledged steps lost on SIGKILL, {tries} tries", sum(killed), "", 0),
        Row(f"acknowledged steps missing during SIGSTOP, {tries} tries", sum(stopped), "", 0),
    ]


def _lost(setting: Setting, how: str, after_steps: int) -> int:
    """Acknowledged steps without a whole line, of a process killed or stopped after so many steps."""
    root, noted = setting.folder / "survival", setting.folder / "acknowledged"
    noted.write_bytes(bytes(8))
    command = [sys.executable, "-m", "benchmarks.scripts.acknowledging_trainer", str(root), str(noted)]
    process = subprocess.Popen(command, env=setting.home("library").environment(root))
    try:
        wait_until(
            lambda: _acknowledged(noted) >= after_steps,
            timeout_s=60,
            what="The trainer's steps",
            every_s=0.001,
        )
        process.send_signal(signal.SIGKILL if how == "kill" else signal.SIGSTOP)
        if how == "kill":
            process.wait()
        else:
            time.sleep(0.02)  # the signal is on its way
        events = next(root.glob("bench/*/runs/*/events.jsonl")).read_bytes()
        return _acknowledged(noted) - len(_whole_steps(events) & set(range(1, _acknowledged(noted) + 1)))
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(root)


def _acknowledged(noted: Path) -> int:
    return int(struct.unpack("<q", noted.read_bytes())[0])


def _whole_steps(events: bytes) -> set[int]:
    lines = events[: events.rfind(b"\n") + 1].splitlines()
    return {orjson.loads(line)["data"].get("global_step") for line in lines}
