"""The `runicorn` command as a user runs it: a process of its own, with folders of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.databases import database_of
from tests.server import write_limits

START_TIMEOUT_S = 120.0
WAIT_TIMEOUT_S = 30.0
COMMAND = (sys.executable, "-m", "runicorn")


def user_environment(folder: Path, **variables: str) -> dict[str, str]:
    """An environment of a user whose home is ``folder`` and who has no storage root set."""
    places = {"HOME": "", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data"}
    ours = {key: str(folder / name) for key, name in places.items()}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RUNICORN_", "DJANGO_"))}
    return {**inherited, **ours, **database_of(folder), **variables}


def runicorn(
    *arguments: str, folder: Path, command: Sequence[str] = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in ``folder``, which is also the user's home."""
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=user_environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class RunningCommand:
    """A command that goes on until it is stopped, and what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    seen: set[psutil.Process] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The address that was printed last: a web process on any free port starts anew on another one."""
        return next(line for line in reversed(self.lines) if " at http://" in line).split()[-1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, *, count: int = 1) -> None:
        """Wait until ``text`` was printed ``count`` times."""
        wait_until(
            lambda: self.output.count(text) >= count or self.process.poll() is not None,
            self.describe,
            timeout_s=START_TIMEOUT_S,
        )
        assert self.output.count(text) >= count, self.describe()

    def children(self) -> dict[str, psutil.Process]:
        """The processes it started, by their subcommand."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error, IndexError):  # one that has just ended has no command line
                found[child.cmdline()[2]] = child
        return found

    def descendants(self) -> list[psutil.Process]:
        """All processes below it. Those seen here are ended with the test, even if they lost their parent."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.seen.update(found)
        return found

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; gives the exit code and after how many seconds."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(10), time.monotonic() - started

    def get(self, path: str, **headers: str) -> Any:
        """The JSON answer of a GET."""
        return json.loads(self.get_bytes(path, **headers))

    def get_bytes(self, path: str, **headers: str) -> bytes:
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def answers(self) -> bool:
        try:
            return self.get("/api/health")["status"] == "ok"
        except OSError:
            return False

    def describe(self) -> str:
        return f"exit code {self.process.poll()}, printed:\n{self.output}"


@contextmanager
def running(
    *arguments: str, folder: Path, command: Sequence[str] = COMMAND, cwd: Path | None = None, **variables: str
) -> Iterator[RunningCommand]:
    """A command that runs until the block ends; nothing that it started is left behind."""
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=cwd or folder,
        env={**user_environment(folder), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    run = RunningCommand(process)
    assert process.stdout is not None
    reader = threading.Thread(target=run.lines.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        yield run
    finally:
        with suppress(psutil.NoSuchProcess):
            run.descendants()
        for each in (process, *run.seen):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()
        reader.join(5)
        assert process.stdin is not None
        process.stdin.close()
        process.stdout.close()


@contextmanager
def running_viewer(
    *arguments: str, folder: Path, command: Sequence[str] = COMMAND, cwd: Path | None = None, **variables: str
) -> Iterator[RunningCommand]:
    """A viewer on a free port that answers, with limits that a test does not reach."""
    write_limits(folder / "config")
    with running("viewer", "--port", "0", *arguments, folder=folder, command=command, cwd=cwd, **variables) as viewer:
        viewer.wait_for("Storage root: ")
        yield viewer


def still_running(processes: Sequence[psutil.Process]) -> list[str]:
    """What each of the processes that have not ended is. One that nobody has waited for yet has ended."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found


def wait_until(condition: Callable[[], Any], describe: Callable[[], str], *, timeout_s: float = WAIT_TIMEOUT_S) -> None:
    """Wait until ``condition()`` is true; fail with ``describe()`` when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.02)


def write_run(root: Path, run_id: str = "20250114_153045_a1b2c3", *, status: str = "finished") -> Path:
    """A small run directory of the current layout."""
    folder = root / "digits" / "mlp" / "runs" / run_id
    folder.mkdir(parents=True)
    documents: Mapping[str, Mapping[str, Any]] = {
        "meta.json": {"id": run_id, "project": "digits", "name": "mlp", "created_at": 1736868645.0},
        "status.json": {"status": status, "started_at": 1736868645.0, "ended_at": 1736868700.0},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    (folder / "events.jsonl").write_text(
        '{"ts": 1736868646.0, "type": "metrics", "data": {"loss": 0.5, "global_step": 1}}\n', encoding="utf-8"
    )
    return folder
