"""Blobs of the pool kept as content-defined chunks: docs/design/0018-artifact-chunks.md."""

from __future__ import annotations

from runicorn.artifacts.chunks.compaction import CompactedBlob, Compactor, Estimator
from runicorn.artifacts.chunks.garbage import Collected
from runicorn.artifacts.chunks.store import ChunkStore

__all__ = ["ChunkStore", "Collected", "CompactedBlob", "Compactor", "Estimator"]
