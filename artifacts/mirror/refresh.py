"""Bringing one artifact's rows up to date at once, after a service changed its files."""

from __future__ import annotations

from pathlib import Path

from artifacts.mirror.artifacts import load_states
from artifacts.mirror.looks import look_at_artifact
from artifacts.mirror.tree import ArtifactKey
from artifacts.mirror.write import write_parts
from experiments.models import StorageRoot

#: Looks until the files agree with the rows. Files that change faster are the mirror's: it looks again.
MAX_LOOKS = 10


def refresh_artifact(root: StorageRoot, key: ArtifactKey, *, now: float) -> None:
    """Read the documents of one artifact again and write its rows; without a version it has none. now: Unix seconds.

    It may run beside the mirror. Of several that refresh one artifact at once, one may have read before and write after
    a change by another: each looks once more at what it left.
    """
    for _ in range(MAX_LOOKS):
        is_behind = False
        for part in look_at_artifact(Path(root.path), key, load_states(root, key).get(key)):
            write_parts(root, [part], now=now)
            is_behind = True
        if not is_behind:
            return
