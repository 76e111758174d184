"""The whole viewer as `runicorn viewer` starts it: supervisor, web process and mirror process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import running_viewer


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
    with running_viewer("--storage", str(root), folder=tmp_path) as command:
        yield Viewer(command.url, root)
