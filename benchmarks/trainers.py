"""A training process that logs what it is told, when it is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.measurement import wait_until
from benchmarks.setting import Home


class Trainer:
    """One run that is being trained; use as a context."""

    def __init__(self, root: Path, home: Home) -> None:
        self._root, self._home = root, home

    def __enter__(self) -> Trainer:
        command = [sys.executable, "-m", "benchmarks.scripts.trainer", str(self._root)]
        self._process = subprocess.Popen(
            command, env=self._home.environment(self._root), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands, self._answers = self._process.stdin, self._process.stdout
        self.run_dir = Path(self._answers.readline().rstrip("\n"))
        return self

    def __exit__(self, *_: object) -> None:
        self._commands.close()
        self._process.wait()
        self._answers.close()

    @property
    def run_id(self) -> str:
        return self.run_dir.name

    def tell(self, command: str) -> float:
        """Have it done; returns the time (Unix seconds) just before the call of the library."""
        self._commands.write(command + "\n")
        self._commands.flush()
        return float(self._answers.readline())

    def await_indexed(self) -> None:
        runs = f"SELECT 1 FROM experiments_run WHERE run_id = '{self.run_id}'"
        wait_until(lambda: bool(self._home.query(runs)), timeout_s=30, what="Indexing the run")
