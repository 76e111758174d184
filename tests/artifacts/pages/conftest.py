"""Pages over artifacts of a storage root of the test's own, which the mirror has just indexed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.models import StorageRoot
from tests.artifacts.mirror.conftest import root, root_dir, tick  # noqa: F401
from tests.artifacts.stored import log_version
from tests.experiments.pages.conftest import page  # noqa: F401


@pytest.fixture
def net(root_dir: Path, root: StorageRoot, tick: Callable[[], None]) -> Path:  # noqa: F811
    """Two versions of the model ``net``, in the index. Returns the storage root."""
    for minute in range(2):
        log_version(root_dir, {"best.pt": b"weights %d" % minute, "conf/a.json": b"{}"}, minute=minute)
    tick()
    return root_dir
