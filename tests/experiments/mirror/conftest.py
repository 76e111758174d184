"""A storage root of the test's own and a mirror that knows nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.mirror.loop import mirror_once
from experiments.mirror.runs import RunsMirror
from experiments.models import StorageRoot

NOW = 1_800_000_000.0


@pytest.fixture
def root_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def root(root_dir: Path) -> StorageRoot:
    return StorageRoot.objects.create(key=StorageRoot.LOCAL, path=str(root_dir))


@pytest.fixture
def mirror() -> RunsMirror:
    return RunsMirror()


@pytest.fixture
def tick(root: StorageRoot, mirror: RunsMirror) -> Callable[[], None]:
    """Ticks of the mirror process over the root until nothing is left to do."""

    def run() -> None:
        while mirror_once([mirror], root, now=NOW):
            pass

    return run
