"""The files of a run directory, as its page lists them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from experiments.access import run_directory
from experiments.models import Run
from runicorn.errors import OutsideRoot
from runicorn.storage.values import text

#: More are not listed; a run with so many has a folder of checkpoints or frames that nobody reads through.
MAX_FILES = 5_000


@dataclass(frozen=True)
class RunFile:
    """path: below the run directory, as it may be shown. is_link: symbolic, and not followed.

    can_open: whether the path names the file; one whose bytes are no text cannot be asked for by its address.
    """

    path: str
    size: int
    modified_at: float
    is_link: bool
    can_open: bool

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class RunFiles:
    """files: by path, those of the directory itself first. size: bytes of those that are listed."""

    files: list[RunFile]
    size: int
    has_more: bool


def files_of(run: Run) -> RunFiles:
    """What lies in the run directory now; nothing of one that is gone or leads out of its root."""
    try:
        top = str(run_directory(run))
    except OutsideRoot:
        return RunFiles([], 0, has_more=False)
    files: list[RunFile] = []
    pending = [""]
    while pending and len(files) <= MAX_FILES:
        folder = pending.pop()
        found, folders = _entries(top, folder)
        files += found
        pending += folders
    files.sort(key=lambda file: (file.folder, file.name))
    shown = files[:MAX_FILES]
    return RunFiles(shown, sum(file.size for file in shown), has_more=len(files) > MAX_FILES or bool(pending))


def _entries(top: str, folder: str) -> tuple[list[RunFile], list[str]]:
    """The files and the folders in a folder; a folder that cannot be read has none."""
    files, folders = [], []
    try:
        with os.scandir(os.path.join(top, folder)) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # removed meanwhile
                    continue
                shown, is_link = text(path), entry.is_symlink()
                can_open = shown == path and "\\" not in path and not is_link
                files.append(RunFile(shown, status.st_size, status.st_mtime, is_link, can_open))
    except OSError:
        return files, folders
    return files, folders
