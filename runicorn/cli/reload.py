"""``--reload``: notices by modification times that the viewer's source changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".py", ".html", ".css", ".js", ".mo", ".svg")
#: Walking the folders takes some milliseconds, so not at each tick of the supervisor.
INTERVAL_S = 0.5


class SourceWatch:
    """Compares the files below some folders with how they were at the last look."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._seen = self._snapshot()
        self._next_look_at = 0.0

    def changed(self, now: float) -> bool:
        """True if a file was changed, added or removed since the last true answer. now: monotonic seconds."""
        if now < self._next_look_at:
            return False
        self._next_look_at = now + INTERVAL_S
        before, self._seen = self._seen, self._snapshot()
        return before != self._seen

    def _snapshot(self) -> dict[str, int]:
        found = {}
        for folder in self._folders:
            for parent, _folders, names in os.walk(folder):
                for name in names:
                    if name.endswith(SUFFIXES):
                        path = os.path.join(parent, name)
                        try:
                            found[path] = os.stat(path).st_mtime_ns
                        except FileNotFoundError:  # an editor's temporary file
                            continue
        return found
