"""How much a storage root's artifacts are, and how much of the disk they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runicorn.artifacts.contents import all_versions
from runicorn.artifacts.documents import read_manifest
from runicorn.artifacts.models import ArtifactManifest
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.disk_usage import disk_bytes


@dataclass(frozen=True)
class TypeFigures:
    """Of the artifacts of one type, versions in the recycle bin included. size_bytes: of all files of all versions."""

    count: int = 0
    versions: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class ArtifactFigures:
    """Of all artifacts of a storage root. total_files: of all versions. by_type: those that there are.

    disk_bytes: what the folder of artifacts takes, as ``du`` counts; documents, pool and chunks included.
    """

    total_files: int
    disk_bytes: int
    by_type: Mapping[str, TypeFigures] = field(default_factory=dict)

    @property
    def total_artifacts(self) -> int:
        return sum(figures.count for figures in self.by_type.values())

    @property
    def total_versions(self) -> int:
        return sum(figures.versions for figures in self.by_type.values())

    @property
    def total_size_bytes(self) -> int:
        return sum(figures.size_bytes for figures in self.by_type.values())

    @property
    def space_saved_bytes(self) -> int:
        """By which the files would take more if each version had its own; never below 0."""
        return max(0, self.total_size_bytes - self.disk_bytes)

    @property
    def dedup_ratio(self) -> float:
        """The share of all files' bytes that is saved: 0 to 1."""
        return self.space_saved_bytes / self.total_size_bytes if self.total_size_bytes else 0.0

    def to_dict(self) -> dict[str, object]:
        """As the API and ``runicorn artifacts stats --json`` give it."""
        return {
            "total_artifacts": self.total_artifacts,
            "total_versions": self.total_versions,
            "total_size_bytes": self.total_size_bytes,
            "total_files": self.total_files,
            "dedup_enabled": True,
            "dedup_pool_size_bytes": self.disk_bytes,
            "space_saved_bytes": self.space_saved_bytes,
            "dedup_ratio": self.dedup_ratio,
            "by_type": {type_: dict(vars(figures)) for type_, figures in self.by_type.items()},
        }


def artifact_figures(root: Path) -> ArtifactFigures:
    """Read from the manifests; a version whose manifest cannot be read counts with no file."""
    names: dict[str, set[str]] = {}
    versions: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    total_files = 0
    for version in all_versions(root):
        names.setdefault(version.place.type, set()).add(version.place.name)
        versions[version.place.type] += 1
        try:
            manifest = read_manifest(version.folder)
        except UnreadableDocument:
            manifest = ArtifactManifest()
        sizes[version.place.type] += sum(entry.size for entry in manifest.files)
        total_files += len(manifest.files)
    by_type = {type_: TypeFigures(len(names[type_]), versions[type_], sizes[type_]) for type_ in names}
    return ArtifactFigures(total_files, artifacts_disk_bytes(root), by_type)


def artifacts_disk_bytes(root: Path) -> int:
    """What the folder of artifacts takes on the disk."""
    return disk_bytes([root / layout.ARTIFACTS_DIR])
