"""Finding run directories in a storage root, and noticing by a few stats that something changed.

Layouts: ``<project>/<experiment>/runs/<run_id>`` (0.2 and newer), ``runs/<run_id>`` (0.1),
``runs/<path of any depth>/<run_id>`` (0.7).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from runicorn.storage import layout

#: A directory is a run once it holds one of these.
RUN_FILES = (layout.META, layout.STATUS, layout.EVENTS)
#: 0.7 allows paths of any depth; a tree deeper than this is somebody's loop.
MAX_LEGACY_DEPTH = 20
#: A folder changed this recently may change again within the same mtime: it is listed once more next time.
UNSETTLED_S = 2.0


class _Kind(Enum):
    ROOT = auto()
    PROJECT = auto()
    EXPERIMENT = auto()
    RUNS = auto()
    LEGACY = auto()


@dataclass
class _Folder:
    kind: _Kind
    mtime_ns: int = -1
    subfolders: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass
class TreeChange:
    """What a look at the tree found. All paths are relative to the root, with forward slashes.

    touched: runs whose ``runs/`` folder changed, so that one stat of each is due.
    """

    added: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)


class RootTree:
    """The folders above the run directories of one root, kept in step by their mtimes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, _Folder] = {"": _Folder(_Kind.ROOT)}
        self._device: int | None = None
        self.is_reachable = False

    @property
    def runs(self) -> set[str]:
        """Every run directory found so far."""
        return set().union(*(folder.runs for folder in self._folders.values()))

    @property
    def problems(self) -> dict[str, str]:
        """Folders and links that were passed over, and why."""
        return {path: reason for folder in self._folders.values() for path, reason in folder.problems.items()}

    def refresh(self, *, now: float) -> TreeChange:
        """Stat every folder, list those that changed. now: Unix seconds.

        A root that is not there, or has another file system mounted on it, changes nothing but ``problems``: a network
        disk that is away for a while must not empty the index.
        """
        change = TreeChange()
        self.is_reachable = self._is_there()
        if not self.is_reachable:
            return change
        pending = list(self._folders)
        while pending:
            path = pending.pop()
            if path in self._folders:
                pending += self._refresh_folder(path, change, now)
        return change

    def _is_there(self) -> bool:
        top = self._folders[""]
        try:
            device = os.stat(self.root).st_dev
        except OSError as error:
            top.problems = {".": f"The storage root {self.root} cannot be reached: {error.strerror}."}
            top.mtime_ns = -1
            return False
        if self._device not in (None, device):
            top.problems = {".": f"Another file system is mounted at {self.root}; its runs are kept as they were."}
            top.mtime_ns = -1
            return False
        self._device = device
        return True

    def _refresh_folder(self, path: str, change: TreeChange, now: float) -> list[str]:
        """Bring one folder up to date; returns the subfolders that are new."""
        folder = self._folders[path]
        try:
            mtime_ns = os.stat(self.root / path).st_mtime_ns
            if mtime_ns == folder.mtime_ns:
                return []
            subfolders, runs, problems = self._list(path, folder.kind)
        except FileNotFoundError:
            if path:
                self._forget(path, change)
            return []
        except OSError as error:
            folder.problems[path or "."] = f"The folder cannot be read: {error.strerror}."
            return []
        folder.mtime_ns = mtime_ns if now - mtime_ns / 1e9 > UNSETTLED_S else -1
        folder.problems = problems
        change.added |= runs - folder.runs
        change.gone |= folder.runs - runs
        change.touched |= runs & folder.runs
        folder.runs = runs
        for gone in folder.subfolders - set(subfolders):
            self._forget(gone, change)
        new = [name for name in subfolders if name not in self._folders]
        for name in new:
            self._folders[name] = _Folder(subfolders[name])
        folder.subfolders = set(subfolders)
        return new

    def _forget(self, path: str, change: TreeChange) -> None:
        folder = self._folders.pop(path, None)
        if folder is None:
            return
        change.gone |= folder.runs
        for name in folder.subfolders:
            self._forget(name, change)

    def _list(self, path: str, kind: _Kind) -> tuple[dict[str, _Kind], set[str], dict[str, str]]:
        subfolders: dict[str, _Kind] = {}
        runs: set[str] = set()
        problems: dict[str, str] = {}
        with os.scandir(self.root / path) as entries:
            for entry in entries:
                inner = f"{path}/{entry.name}" if path else entry.name
                if entry.is_symlink():
                    if kind is not _Kind.EXPERIMENT and entry.is_dir():
                        problems[_readable(inner)] = (
                            "A symbolic link to a folder; links are not followed. Move the folder here."
                        )
                    continue
                if not entry.is_dir(follow_symlinks=False) or entry.name.startswith("."):
                    continue
                if _readable(inner) != inner:
                    problems[_readable(inner)] = "The folder's name is not valid UTF-8; rename it."
                elif kind is _Kind.RUNS or (kind is _Kind.LEGACY and _is_run(entry.path)):
                    if _is_run(entry.path):
                        runs.add(inner)
                elif (child := _child_kind(kind, entry.name)) and inner.count("/") <= MAX_LEGACY_DEPTH:
                    subfolders[inner] = child
        return subfolders, runs, problems


def _child_kind(kind: _Kind, name: str) -> _Kind | None:
    if kind is _Kind.ROOT:
        if name == layout.RUNS_DIR:
            return _Kind.LEGACY
        return None if name in layout.RESERVED_NAMES else _Kind.PROJECT
    if kind is _Kind.PROJECT:
        return _Kind.EXPERIMENT
    if kind is _Kind.EXPERIMENT:
        return _Kind.RUNS if name == layout.RUNS_DIR else None
    return _Kind.LEGACY


def _is_run(path: str) -> bool:
    return any(os.path.lexists(os.path.join(path, name)) for name in RUN_FILES)


def _readable(name: str) -> str:
    """A file name as text that any encoder takes: undecodable bytes are shown as replacement characters."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
