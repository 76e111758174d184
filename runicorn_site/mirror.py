"""What the mirror process keeps in step, app by app; lower apps first."""

from __future__ import annotations

from artifacts.mirror import ArtifactsMirror, write_edges
from experiments.mirror import RunsMirror
from experiments.mirror.loop import Mirror

MIRRORS: list[Mirror] = [RunsMirror(followers=[write_edges]), ArtifactsMirror()]
