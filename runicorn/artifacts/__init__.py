"""Artifacts: named, typed bundles of files in immutable versions. Loaded at first use, never by ``import runicorn``."""

from __future__ import annotations

from runicorn.artifacts.artifact import Artifact
from runicorn.artifacts.lineage import LineageEdge, LineageGraph, LineageNode, LineageTracker
from runicorn.artifacts.models import (
    ArtifactIndex,
    ArtifactManifest,
    ArtifactMetadata,
    ArtifactStatus,
    ArtifactVersionInfo,
    FileEntry,
    ReferenceEntry,
)
from runicorn.artifacts.names import ArtifactType
from runicorn.artifacts.storage import ArtifactStorage, create_artifact_storage, get_artifact_storage

__all__ = [
    "Artifact",
    "ArtifactIndex",
    "ArtifactManifest",
    "ArtifactMetadata",
    "ArtifactStatus",
    "ArtifactStorage",
    "ArtifactType",
    "ArtifactVersionInfo",
    "FileEntry",
    "LineageEdge",
    "LineageGraph",
    "LineageNode",
    "LineageTracker",
    "ReferenceEntry",
    "create_artifact_storage",
    "get_artifact_storage",
]
