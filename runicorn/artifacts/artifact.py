"""``Artifact``: what a script stages to be logged, or has got from ``use_artifact``."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from runicorn.artifacts.models import ArtifactManifest, ArtifactMetadata, ReferenceEntry
from runicorn.artifacts.names import (
    ArtifactType,
    check_artifact_name,
    check_inner_path,
    is_too_long_for_windows,
    parse_type,
)
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.reading import download, stored_path
from runicorn.artifacts.staging import StagedFile
from runicorn.errors import InvalidInput
from runicorn.guard import warn
from runicorn.storage.plain import NotPlain, plain


class Artifact:
    """A named, typed bundle of files.

    name: up to 100 characters, without any of ``/ \\ : * ? " < > |``. type: "model", "dataset", "config", "code" or
    "custom". metadata: a dict of JSON values. Every ``add_…`` returns the artifact.
    Raises InvalidName and InvalidInput (both ValueErrors).

        model = rn.Artifact("vit-s", "model").add_file("best.pt").add_metadata({"val_acc": 0.91})
        run.log_artifact(model)
    """

    def __init__(
        self,
        name: str,
        type: str | ArtifactType = "model",
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = check_artifact_name(name)
        self.type = parse_type(type)
        self.description = description
        self.metadata: dict[str, Any] = {}
        self.tags: list[str] = []
        self.version: int | None = None
        self._files: dict[str, str] = {}
        self._references: list[ReferenceEntry] = []
        self._stored: _Stored | None = None
        self.add_metadata(metadata or {})

    def __repr__(self) -> str:
        return f"<Artifact {self.type} {self.full_name}>"

    @property
    def is_loaded(self) -> bool:
        """Whether it lies in the storage root: it was logged, or comes from ``use_artifact``."""
        return self._stored is not None

    @property
    def full_name(self) -> str:
        return f"{self.name}:v{self.version}" if self.version is not None else f"{self.name}:unstaged"

    def add_file(self, path: str | os.PathLike[str], name: str | None = None) -> Artifact:
        """Stage one file, under its own name or under ``name``, a relative path inside the artifact.

        Raises FileNotFoundError, InvalidInput for a folder, OutsideRoot for a ``name`` that leads out (both
        ValueErrors). The file is read when the artifact is logged.
        """
        source = Path(path)
        if source.is_dir():
            raise InvalidInput(f"{source} is a folder; use add_dir().")
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist.")
        self._stage(str(source), source.name if name is None else name)
        return self

    def add_dir(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        exclude_patterns: Iterable[str] | None = None,
    ) -> Artifact:
        """Stage every file below a folder. name: a folder inside the artifact to put them in.

        exclude_patterns: globs such as ``*.tmp`` or ``cache/*``, matched from the right end of each path; a folder
        that matches is left out with all below it. A linked file is stored as a file; linked folders are left out.
        Raises FileNotFoundError if there is no such folder, OutsideRoot (a ValueError) for a ``name`` that leads out.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder.")
        prefix = "" if name is None else f"{check_inner_path(name)}/"
        for relative in _files_below(folder, tuple(exclude_patterns or ())):
            self._stage(f"{folder}/{relative}", f"{prefix}{relative}")
        return self

    def add_reference(
        self, uri: str, checksum: str | None = None, size: int | None = None, name: str | None = None, **metadata: Any
    ) -> Artifact:
        """Name data that lies elsewhere; nothing is copied or looked at. size: bytes.

        name, and every other keyword, is kept in the reference's metadata.
        """
        if not isinstance(uri, str) or not uri:
            raise InvalidInput(f"A reference needs an address, not {uri!r}.")
        extra = metadata if name is None else {"name": name, **metadata}
        self._references.append(ReferenceEntry(uri, checksum, size, _plain_metadata(extra)))
        return self

    def add_metadata(self, metadata: Mapping[str, Any]) -> Artifact:
        """Merge a dict of JSON values; a later value of a key wins. Raises InvalidInput for what JSON cannot hold."""
        self.metadata.update(_plain_metadata(metadata))
        return self

    def add_tags(self, *tags: str) -> Artifact:
        self.tags.extend(tag for tag in dict.fromkeys(map(str, tags)) if tag and tag not in self.tags)
        return self

    def get_metadata(self) -> ArtifactMetadata | None:
        """What the storage root says of the version; None before it is logged."""
        return None if self._stored is None else self._stored.metadata

    def get_manifest(self) -> ArtifactManifest | None:
        """Every file of the version; None before it is logged."""
        return None if self._stored is None else self._stored.manifest

    def get_references(self) -> list[ReferenceEntry]:
        return list(self._references if self._stored is None else self._stored.manifest.references)

    def download(self, target_dir: str | os.PathLike[str] | None = None) -> Path:
        """Copy all files below ``target_dir``, by default a new temporary folder; returns the folder.

        Every file is verified by its SHA-256, and may be written to. Raises RuntimeError before the artifact is
        logged, StorageDamaged if stored bytes are not what was logged.
        """
        stored = self._loaded("download")
        folder = None if target_dir is None else Path(target_dir)
        return download(stored.place, stored.metadata.version, stored.manifest, folder)

    def get_file_path(self, inner: str) -> Path | None:
        """The stored file at that path inside the artifact, to be read and never written; None if there is none.

        Raises OutsideRoot (a ValueError) for a path with ``..`` or an absolute one, RuntimeError before the artifact
        is logged.
        """
        stored = self._loaded("get_file_path")
        return stored_path(stored.place, stored.metadata.version, stored.manifest, inner)

    def staged_files(self) -> list[StagedFile]:
        return [StagedFile(source, path) for path, source in self._files.items()]

    def staged_references(self) -> list[ReferenceEntry]:
        return list(self._references)

    def set_stored(self, place: ArtifactPlace, metadata: ArtifactMetadata, manifest: ArtifactManifest) -> None:
        """Make this the version that lies in the storage root."""
        self._stored = _Stored(place, metadata, manifest)
        self.version = metadata.version

    @classmethod
    def from_stored(cls, place: ArtifactPlace, metadata: ArtifactMetadata, manifest: ArtifactManifest) -> Artifact:
        artifact = cls(place.name, place.type, metadata.description)
        artifact.metadata = dict(metadata.metadata)
        artifact.tags = list(metadata.tags)
        artifact.set_stored(place, metadata, manifest)
        return artifact

    def _stage(self, source: str, name: str) -> None:
        path = check_inner_path(name)
        if os.name == "nt" and is_too_long_for_windows(path):
            raise InvalidInput(f"The path {path!r} is too long for Windows; shorten it.")
        if path in self._files:
            warn("Artifact %s has a file %r already; %s is left out.", self.name, path, source)
            return
        self._files[path] = os.path.abspath(source)

    def _loaded(self, method: str) -> _Stored:
        if self._stored is None:
            raise RuntimeError(
                f"{self.full_name} is not stored; log it, or get it by use_artifact(), before {method}()."
            )
        return self._stored


class _Stored:
    def __init__(self, place: ArtifactPlace, metadata: ArtifactMetadata, manifest: ArtifactManifest) -> None:
        self.place = place
        self.metadata = metadata
        self.manifest = manifest


def _files_below(folder: Path, patterns: tuple[str, ...]) -> Iterator[str]:
    """Paths of files relative to ``folder``, with forward slashes, sorted."""
    found: list[str] = []
    for below, folders, names in os.walk(folder, onerror=_raise):
        base = Path(below).relative_to(folder).as_posix()
        prefix = "" if base == "." else f"{base}/"
        folders[:] = [name for name in folders if not _is_excluded(f"{prefix}{name}", patterns)]
        found += [f"{prefix}{name}" for name in names if not _is_excluded(f"{prefix}{name}", patterns)]
    return iter(sorted(path for path in found if os.path.isfile(f"{folder}/{path}")))


def _raise(error: OSError) -> None:
    """A folder that cannot be read must not become a dataset that lacks it."""
    raise error


def _is_excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a glob fits the right end of ``path``, part by part."""
    parts = PurePosixPath(path).parts
    for pattern in patterns:
        wanted = PurePosixPath(pattern.replace("\\", "/")).parts
        tail = parts[-len(wanted) :]
        if wanted and len(tail) == len(wanted) and all(map(fnmatch.fnmatchcase, tail, wanted)):
            return True
    return False


def _plain_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        converted: dict[str, Any] = plain(values)
    except NotPlain as error:
        raise InvalidInput(f"The metadata holds {error}, which JSON cannot; convert it first.") from error
    return converted
