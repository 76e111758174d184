"""Keeps the index of artifacts in step with the storage roots. docs/design/0020-artifact-index.md says how and why.

tree, marks, looks          which artifacts are there, what changed, and what it says
write, artifacts, refresh   from that to rows: one batch, a whole root, one artifact
lineage                     edges, from the documents of runs
"""

from artifacts.mirror.artifacts import ArtifactsMirror
from artifacts.mirror.lineage import write_edges
from artifacts.mirror.refresh import refresh_artifact
from artifacts.mirror.tree import ArtifactKey

__all__ = ["ArtifactKey", "ArtifactsMirror", "refresh_artifact", "write_edges"]
