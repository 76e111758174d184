from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runicorn.artifacts import Artifact, ArtifactStorage
from runicorn.artifacts.places import ArtifactPlace

#: Long before anything a test does: two days are more than the age at which gc takes content.
TWO_DAYS_S = 2 * 24 * 3600.0


@pytest.fixture
def place(root: Path) -> ArtifactPlace:
    return ArtifactPlace(root, "model", "net")


@pytest.fixture
def log(root: Path, tmp_path: Path) -> Callable[..., int]:
    """Log files, given by path and content, as the next version of an artifact; returns the version."""

    def log_files(files: Mapping[str, bytes], *, name: str = "net", type: str = "model") -> int:
        staged = []
        for path, content in files.items():
            source = tmp_path / "sources" / path
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(content)
            staged.append((source, path))
        return ArtifactStorage(root).save_artifact(Artifact(name, type), "20260101_000000_abcdef", staged, [])

    return log_files


def pool_files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "artifacts" / ".dedup").rglob("*") if path.is_file())


def age_pool(root: Path) -> None:
    """As if everything in the pool had been stored two days ago."""
    for path in pool_files(root):
        status = path.stat()
        os.utime(path, (status.st_atime - TWO_DAYS_S, status.st_mtime - TWO_DAYS_S))
