"""Which artifacts a storage root has, kept in step by the mtimes of the folders of types."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from runicorn.artifacts.names import check_artifact_name
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import InvalidName
from runicorn.storage import layout
from runicorn.storage.discovery import UNSETTLED_S
from runicorn.storage.values import text


class ArtifactKey(NamedTuple):
    """An artifact of one root."""

    type: str
    name: str

    def place(self, root: Path) -> ArtifactPlace:
        return ArtifactPlace(root, self.type, self.name)

    @property
    def path(self) -> str:
        """Of its folder, relative to the root."""
        return f"{layout.ARTIFACTS_DIR}/{self.type}/{self.name}"


@dataclass
class _TypeFolder:
    type: str
    mtime_ns: int = -1
    names: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)


class ArtifactTree:
    """The folders above the artifacts: ``artifacts/<type>`` and, of 0.4, ``artifacts/ArtifactType.<TYPE>``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_reachable = False
        self._device: int | None = None
        self._folders = {
            folder: _TypeFolder(type_)
            for type_ in layout.ARTIFACT_TYPES
            for folder in (type_, f"{layout.ARTIFACT_ENUM_PREFIX}{type_.upper()}")
        }

    @property
    def artifacts(self) -> set[ArtifactKey]:
        """Every folder of an artifact found so far; both folders of an older one are one artifact."""
        return {ArtifactKey(folder.type, name) for folder in self._folders.values() for name in folder.names}

    @property
    def problems(self) -> dict[str, str]:
        """Folders and links that were passed over, and why; by path relative to the root."""
        return {path: reason for folder in self._folders.values() for path, reason in folder.problems.items()}

    def refresh(self, *, now: float) -> set[str]:
        """Stat every folder, list those that changed; returns the types among whose artifacts something may be new.

        now: Unix seconds. A root that is not there, or has another file system mounted on it, changes nothing: the
        mirror of runs lists that as a problem.
        """
        self.is_reachable = self._is_there()
        if not self.is_reachable:
            return set()
        return {folder.type for name, folder in self._folders.items() if self._refresh(name, folder, now)}

    def _is_there(self) -> bool:
        try:
            device = os.stat(self.root).st_dev
        except OSError:
            return False
        if self._device is None:
            self._device = device
        return device == self._device

    def _refresh(self, name: str, folder: _TypeFolder, now: float) -> bool:
        """Bring one folder up to date; False if it stands as it did."""
        path = self.root / layout.ARTIFACTS_DIR / name
        try:
            mtime_ns = os.stat(path).st_mtime_ns
            if mtime_ns == folder.mtime_ns:
                return False
            names, problems = self._list(path)
        except FileNotFoundError:
            was_there = bool(folder.names or folder.problems)
            folder.mtime_ns, folder.names, folder.problems = -1, set(), {}
            return was_there
        except OSError as error:
            folder.problems = {self._relative(path): f"The folder cannot be read: {error.strerror}."}
            return False
        folder.mtime_ns = mtime_ns if now - mtime_ns / 1e9 > UNSETTLED_S else -1
        folder.names, folder.problems = names, problems
        return True

    def _list(self, path: Path) -> tuple[set[str], dict[str, str]]:
        names: set[str] = set()
        problems: dict[str, str] = {}
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    if entry.is_dir():
                        reason = "A symbolic link to a folder; links are not followed. Move the folder here."
                        problems[self._relative(path / entry.name)] = reason
                elif entry.is_dir(follow_symlinks=False):
                    try:
                        names.add(check_artifact_name(entry.name))
                    except InvalidName as error:
                        problems[self._relative(path / entry.name)] = text(str(error))
        return names, problems

    def _relative(self, path: Path) -> str:
        return os.fsencode(path.relative_to(self.root).as_posix()).decode("utf-8", "replace")
