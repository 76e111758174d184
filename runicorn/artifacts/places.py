"""Where artifacts and their versions lie below a storage root, and which of them are there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runicorn.artifacts.names import check_artifact_name
from runicorn.errors import ArtifactNotFound, InvalidName, VersionNotFound
from runicorn.storage import layout

_VERSION_FOLDER = re.compile(r"v([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class ArtifactPlace:
    """One artifact of a storage root. type: one of layout.ARTIFACT_TYPES. name: a checked name."""

    root: Path
    type: str
    name: str

    @property
    def artifacts_dir(self) -> Path:
        return self.root / layout.ARTIFACTS_DIR

    @property
    def home(self) -> Path:
        """The artifact's folder. Everything new is written here."""
        return self.artifacts_dir / self.type / self.name

    @property
    def older_home(self) -> Path:
        """Where 0.4 on Python 3.11 and newer put the same artifact. Its versions are read, and none is added."""
        return self.artifacts_dir / f"{layout.ARTIFACT_ENUM_PREFIX}{self.type.upper()}" / self.name

    def version_folders(self) -> dict[int, Path]:
        """The folder of each complete version, deleted ones included, in ascending order.

        A folder without its two documents is what a writer of 0.4 left when it died; it is no version.
        """
        found = dict(_numbered(self.older_home)) | dict(_numbered(self.home))
        return {number: folder for number, folder in sorted(found.items()) if _is_complete(folder)}

    def version_folder(self, version: int) -> Path:
        """Raises VersionNotFound, or ArtifactNotFound if there is no version at all."""
        for home in (self.home, self.older_home):
            folder = home / f"v{version}"
            if _is_complete(folder):
                return folder
        if not self.version_folders():
            raise ArtifactNotFound(f"Artifact not found: {self.name}")
        raise VersionNotFound(f"Version not found: {self.name}:v{version}")

    def highest_number(self) -> int:
        """The highest number that a folder has, complete or not; 0 if there is none."""
        homes = (self.home, self.older_home)
        return max((number for home in homes for number, _ in _numbered(home)), default=0)

    def touch(self) -> None:
        """Tell the mirror, by two mtimes, that something of this artifact changed."""
        for folder in (self.home, self.home.parent):
            with suppress(OSError):  # a read-only root: the rolling sweep finds the change later
                os.utime(folder)


def find_places(root: Path, name: str, type_: str | None = None) -> list[ArtifactPlace]:
    """Every artifact of that name that has a version, in the order of types. type_: only this one.

    A name that no artifact can have is nowhere.
    """
    try:
        check_artifact_name(name)
    except InvalidName:
        return []
    types = [known for known in layout.ARTIFACT_TYPES if type_ in (None, known)]
    places = [ArtifactPlace(root, known, name) for known in types]
    return [place for place in places if place.version_folders()]


def all_places(root: Path, type_: str | None = None) -> Iterator[ArtifactPlace]:
    """Every artifact folder of a root, by type and name; those without a version included."""
    for known in layout.ARTIFACT_TYPES:
        if type_ in (None, known):
            place = ArtifactPlace(root, known, "x")
            names = {name for home in (place.home, place.older_home) for name in _artifact_names(home.parent)}
            yield from (ArtifactPlace(root, known, name) for name in sorted(names))


def _artifact_names(type_folder: Path) -> Iterator[str]:
    for entry in _entries(type_folder):
        try:
            if entry.is_dir(follow_symlinks=False):
                yield check_artifact_name(entry.name)
        except (OSError, InvalidName):
            continue


def _numbered(home: Path) -> Iterator[tuple[int, Path]]:
    for entry in _entries(home):
        match = _VERSION_FOLDER.fullmatch(entry.name)
        if match and entry.is_dir(follow_symlinks=False):
            yield int(match[1]), Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # absent, or not a folder
        return []


def _is_complete(folder: Path) -> bool:
    return not folder.is_symlink() and all(
        (folder / name).is_file() for name in (layout.VERSION_METADATA, layout.VERSION_MANIFEST)
    )
