"""A storage root of the test's own, and a mirror of runs and artifacts that knows nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from artifacts.mirror import ArtifactsMirror, write_edges
from artifacts.models import (
    Artifact,
    ArtifactAlias,
    ArtifactFile,
    ArtifactReference,
    ArtifactVersion,
    LineageEdge,
)
from experiments.mirror import RunsMirror
from experiments.mirror.loop import Mirror, mirror_once
from experiments.models import Problem, StorageRoot

NOW = 1_800_000_000.0


@pytest.fixture
def root_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def root(root_dir: Path) -> StorageRoot:
    return StorageRoot.objects.create(key=StorageRoot.LOCAL, path=str(root_dir))


def new_mirrors() -> list[Mirror]:
    return [RunsMirror(followers=[write_edges]), ArtifactsMirror()]


def follow(mirrors: Iterable[Mirror], root: StorageRoot) -> None:
    while mirror_once(list(mirrors), root, now=NOW):
        pass


@pytest.fixture
def tick(root: StorageRoot) -> Callable[[], None]:
    """Ticks of one mirror process over the root until nothing is left to do."""
    mirrors = new_mirrors()
    return lambda: follow(mirrors, root)


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Everything that the index says of artifacts, without the numbers of its rows."""
    artifact = ("artifact__type", "artifact__name")
    rows = {
        "artifacts": Artifact.objects.values(*_columns(Artifact, "root")),
        "versions": ArtifactVersion.objects.values(*artifact, *_columns(ArtifactVersion, "artifact")),
        "files": ArtifactFile.objects.values(*artifact, *_columns(ArtifactFile, "artifact")),
        "references": ArtifactReference.objects.values(*artifact, *_columns(ArtifactReference, "artifact")),
        "aliases": ArtifactAlias.objects.values(*artifact, *_columns(ArtifactAlias, "artifact")),
        "edges": LineageEdge.objects.values("run__path", *_columns(LineageEdge, "root", "run")),
        "problems": Problem.objects.values("path", "reason", "area"),
    }
    return {name: sorted(found, key=repr) for name, found in rows.items()}


def _columns(model: Any, *left_out: str) -> list[str]:
    return [field.name for field in model._meta.fields if field.name not in ("id", *left_out)]
