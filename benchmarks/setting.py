"""Where a measurement happens: storage roots made on demand, and viewers with folders of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from benchmarks import roots
from benchmarks.client import HttpClient
from benchmarks.measurement import wait_until

CHECKOUT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60.0
INDEX_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Setting:
    """How large, and in which temporary folder."""

    folder: Path
    is_quick: bool

    def size(self, whole: int, quick: int) -> int:
        return quick if self.is_quick else whole

    @cached_property
    def many_runs(self) -> Path:
        """The root of 10,000 runs (quick: 1,000)."""
        root = self.folder / "many"
        roots.many_runs(root, run_count=self.size(10_000, 1_000))
        return root

    @cached_property
    def long_run(self) -> Path:
        """The root whose one run has 1,000,000 rows (quick: 100,000)."""
        root = self.folder / "long"
        roots.long_run(root, row_count=self.size(1_000_000, 100_000))
        return root

    def home(self, name: str) -> Home:
        return Home(self.folder / f"home-{name}")

    @contextmanager
    def viewer(self, root: Path, home: Home) -> Iterator[Viewer]:
        """`runicorn viewer` over ``root``, whose index is in step when the context begins."""
        viewer = Viewer(root, home)
        try:
            viewer.start()
            wait_until(lambda: home.is_indexed, timeout_s=INDEX_TIMEOUT_S, what=f"Indexing {root.name}")
            yield viewer
        finally:
            viewer.stop()

    @contextmanager
    def filled_index(self, runs: int, metrics: int, *, names: int | None = None, records: int = 0) -> Iterator[Viewer]:
        """`runicorn serve`, without a mirror, over an index of runs that have no directories.

        metrics: of each run; names: of all. records: points of each metric; 0: only the figures that lists need.
        """
        name = f"filled-{runs}-{metrics}-{names}-{records}"
        root, home = self.folder / name, self.home(name)
        environment = home.environment(root) | {"DJANGO_SETTINGS_MODULE": "runicorn_site.settings"}
        numbers = [runs, metrics, names or metrics, *([records] if records else [])]
        if home.index is None:
            run_script("fill_index", *map(str, numbers), environment=environment)
        server = Viewer(root, home, command="serve")
        try:
            server.start()
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class Home:
    """The user's folders for configuration, cache and data."""

    folder: Path

    def environment(self, root: Path) -> dict[str, str]:
        variables = {f"XDG_{name}_HOME": str(self.folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        # an installed library is compiled once; forbidden to, Python would compile it at every start that is measured
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return inherited | variables | {"RUNICORN_DIR": str(root), "PYTHONPATH": str(CHECKOUT)}

    def raise_limits(self) -> None:
        """Let a measurement send more than a program may by default; it is counted all the same."""
        file = self.folder / "CONFIG" / "runicorn" / "rate_limits.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"endpoints": {"/api": {"max_requests": 10**9}}}), encoding="utf-8")

    @property
    def index(self) -> Path | None:
        return next(iter((self.folder / "CACHE").glob("runicorn/*/index.sqlite3")), None)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the index read with sqlite3; none if there is no such index or table yet."""
        if self.index is None:
            return []
        connection = sqlite3.connect(f"file:{self.index}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()

    @property
    def is_indexed(self) -> bool:
        return bool(self.query("SELECT 1 FROM experiments_storageroot WHERE scanned_at IS NOT NULL"))


@dataclass
class Viewer:
    """A `runicorn viewer` process and its children. command: ``serve`` for the web process alone."""

    root: Path
    home: Home
    command: str = "viewer"
    port: int = 0
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Returns when it has printed its address."""
        self.home.raise_limits()
        command = [sys.executable, "-m", "runicorn", self.command, "--port", "0", "--storage", str(self.root)]
        environment = self.home.environment(self.root)
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://[^ ]*:(\d+)", line):
                self.port = int(found[1])
                return
        raise RuntimeError("The viewer ended without an address; its message is above.")

    def client(self) -> HttpClient:
        return HttpClient(self.port)

    def child(self, name: str) -> psutil.Process:
        """The web process ("serve") or the mirror process ("mirror")."""
        assert self._process is not None
        for process in psutil.Process(self._process.pid).children(recursive=True):
            if name in process.cmdline():
                return process
        raise RuntimeError(f"The viewer has no {name} process.")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process.stdout.close()  # type: ignore[union-attr]


def touch(run: Path) -> None:
    """Make a run look changed, as any writer of ours does: the mirror reads it again."""
    os.utime(run / "summary.json")
    os.utime(run.parent)


def run_script(name: str, *arguments: str, environment: dict[str, str], timeout_s: float = 600) -> bytes:
    """What a script of this package prints, run in a process of its own. Raises CalledProcessError."""
    command = [sys.executable, "-m", f"benchmarks.scripts.{name}", *arguments]
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, check=True, timeout=timeout_s, cwd=CHECKOUT
    )
    return result.stdout
