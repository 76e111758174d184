"""The whole viewer as `runicorn viewer` starts it: supervisor, web process and mirror process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Viewer:
    url: str
    root: Path

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[Viewer]:
    """A running viewer on a free port, over an empty root."""
    root = tmp_path / "root"
    root.mkdir()
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    command = [sys.executable, "-m", "runicorn", "viewer", "--port", "0", "--storage", str(root)]
    process = subprocess.Popen(
        command, env={**os.environ, **folders}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert found, "the viewer ended without naming its address"
        yield Viewer(found[0], root)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=15)
