from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts" / ".dedup"
    folder.mkdir(parents=True)
    return folder
