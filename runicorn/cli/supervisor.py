"""Starts the processes of the viewer, keeps them running, and takes them down together.

The supervisor itself loads neither Django nor a server, so that nothing but its own few lines can break it. What it
promises, and which test holds it: docs/design/0007-processes.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click

CHILD_SCRIPT = Path(__file__).with_name("child.py")
#: How often the children are looked at.
TICK_S = 0.1
#: First pause before a dead child is started again; doubled at each further death, up to the longest.
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: A child that lived this long died of something new: the pauses begin anew.
STABLE_S = 60.0
#: All children are gone this long after a stop. They take half a second; the training scripts of the demo, which end
#: their runs first, take several on a busy machine.
STOP_S = 5.0
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(frozen=True)
class ChildSpec:
    """What to run. arguments: the command line after ``runicorn``.

    once: the process ends by itself when its work is done, and is then not started again.
    """

    name: str
    arguments: Sequence[str]
    once: bool = False


@dataclass
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    done: bool = False


@dataclass
class Supervisor:
    """Runs children until a signal arrives.

    environment: of the children. is_ready: asked from a thread, may block a second. on_ready: called once, when
    is_ready was true for the first time. changed: asked at each tick; true restarts all children (``--reload``).
    """

    specs: Sequence[ChildSpec]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    on_ready: Callable[[], None]
    changed: Callable[[], bool] = lambda: False
    _children: list[_Child] = field(default_factory=list)
    _ready: threading.Event = field(default_factory=threading.Event)
    _announced: bool = False
    _signal: int | None = None

    def run(self) -> int:
        """Block until Ctrl-C, SIGTERM, SIGHUP or a failed start, and return the exit code: 130, 0, 0 or 1."""
        for name in STOP_SIGNALS:
            if hasattr(signal, name):  # Windows knows no SIGHUP
                signal.signal(getattr(signal, name), self._remember_signal)
        self._children = [_Child(spec) for spec in self.specs]
        threading.Thread(target=self._wait_until_ready, name="readiness", daemon=True).start()
        try:
            while self._signal is None:
                if not self._tick(time.monotonic()):
                    return 1
                time.sleep(TICK_S)  # a signal does not cut the sleep short, its handler runs at once
        finally:
            self._stop_all()
        return 130 if self._signal == signal.SIGINT else 0

    def _remember_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _wait_until_ready(self) -> None:
        while not self.is_ready():
            time.sleep(TICK_S)
        self._ready.set()

    def _tick(self, now: float) -> bool:
        """Look at everything once. False if a child ended before the viewer was ready: it would fail again."""
        if self._ready.is_set() and not self._announced:
            self._announced = True
            self.on_ready()
        if self.changed():
            _say("The source changed: starting anew.")
            self._stop_all()
            self._children = [_Child(spec, done=spec.once) for spec in self.specs]
        for child in self._children:
            if child.process is None:
                if not child.done and now >= child.start_at:
                    self._start(child, now)
            elif child.process.poll() is not None and not self._bury(child, now):
                return False
        return True

    def _start(self, child: _Child, now: float) -> None:
        child.started_at = now
        child.process = subprocess.Popen(
            [sys.executable, str(CHILD_SCRIPT), *child.spec.arguments],
            stdin=subprocess.PIPE,  # the child ends when this pipe does, whatever ends us
            env=dict(self.environment),
            start_new_session=True,  # a group of its own: the terminal's Ctrl-C is ours, and the last kill reaches all
        )

    def _bury(self, child: _Child, now: float) -> bool:
        """Note a child's end and when it starts again. False if the viewer cannot start at all."""
        assert child.process is not None
        code = child.process.returncode
        _close(child.process)
        child.process = None
        if child.spec.once:
            child.done = True
            if code != 0:
                _say(f"The {child.spec.name} process failed ({_ending(code)}).")
            return True
        if not self._announced:
            _say(f"Error: the {child.spec.name} process could not start ({_ending(code)}); its message is above.")
            return False
        child.deaths = 1 if now - child.started_at > STABLE_S else child.deaths + 1
        pause_s = min(FIRST_PAUSE_S * 2 ** (child.deaths - 1), LONGEST_PAUSE_S)
        child.start_at = now + pause_s
        _say(f"The {child.spec.name} process ended ({_ending(code)}); starting it again in {pause_s:g} s.")
        return True

    def _stop_all(self) -> None:
        """End every child and what it started, in good order if that takes no longer than STOP_S."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            _close(process)
            with suppress(OSError):
                process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _kill_group(process)
            process.wait()
        for child in self._children:
            child.process = None


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the child if it still runs, and whatever it left behind in its group."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _say(message: str) -> None:
    click.echo(message, err=True)
