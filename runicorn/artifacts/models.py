"""What the documents of an artifact say, one dataclass a document or entry.

``from_dict`` reads with suspicion: wrong types become defaults, what other programs added is kept in ``extra`` and
written again. Keys: docs/design/0019-artifacts.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from runicorn.artifacts.names import check_inner_path
from runicorn.errors import OutsideRoot, UnreadableDocument
from runicorn.storage.digests import Digest, parse_digest, prefixed
from runicorn.storage.values import integer, number, optional_text


class ArtifactStatus(str, Enum):
    """What a version may be. We write ``ready``; ``deleted`` is what the marker in its folder makes of it."""

    PENDING = "pending"
    UPLOADING = "uploading"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"
    CORRUPTED = "corrupted"


@dataclass(frozen=True)
class FileEntry:
    """One file of a version. path: relative, forward slashes. size: bytes. modified_at: Unix seconds."""

    path: str
    size: int
    digest: Digest
    modified_at: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "size": self.size,
            "digest": prefixed(self.digest),
            "modified_at": self.modified_at,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FileEntry:
        """Raises ValueError (OutsideRoot for its path) if path, size or digest cannot be."""
        size = integer(values.get("size"))
        if size is None or size < 0:
            raise ValueError(f"the size {values.get('size')!r} of a file is no number of bytes")
        return cls(
            path=check_inner_path(values.get("path")),
            size=size,
            digest=parse_digest(values.get("digest")),
            modified_at=number(values.get("modified_at")) or 0.0,
        )


@dataclass(frozen=True)
class ReferenceEntry:
    """Data that lies elsewhere. checksum, size (bytes): as the user gave them, None if not."""

    uri: str
    checksum: str | None = None
    size: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"uri": self.uri, "checksum": self.checksum, "size": self.size, "metadata": self.metadata}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReferenceEntry:
        return cls(
            uri=_text(values.get("uri")),
            checksum=optional_text(values.get("checksum")),
            size=integer(values.get("size")),
            metadata=_mapping(values.get("metadata")),
        )


@dataclass(frozen=True)
class ArtifactManifest:
    """Every file and reference of one version, files sorted by path. created_at: Unix seconds.

    total_size: bytes, those of references included where they are known.
    """

    files: tuple[FileEntry, ...] = ()
    references: tuple[ReferenceEntry, ...] = ()
    created_at: float = 0.0

    @property
    def total_size(self) -> int:
        return sum(entry.size for entry in self.files) + sum(entry.size or 0 for entry in self.references)

    @property
    def total_files(self) -> int:
        return len(self.files)

    @property
    def total_references(self) -> int:
        return len(self.references)

    def to_dict(self) -> dict[str, Any]:
        return {
            "files": [entry.to_dict() for entry in self.files],
            "references": [entry.to_dict() for entry in self.references],
            "total_size": self.total_size,
            "total_files": self.total_files,
            "total_references": self.total_references,
            "created_at": self.created_at,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArtifactManifest:
        """Raises UnreadableDocument for a file that cannot be one, or two of the same path."""
        try:
            files = sorted(map(FileEntry.from_dict, _mappings(values.get("files"))), key=lambda entry: entry.path)
        except (ValueError, OutsideRoot) as error:
            raise UnreadableDocument(f"The manifest names a file that cannot be: {error}") from error
        if len({entry.path for entry in files}) != len(files):
            raise UnreadableDocument("The manifest names the same file twice.")
        return cls(
            files=tuple(files),
            references=tuple(map(ReferenceEntry.from_dict, _mappings(values.get("references")))),
            created_at=number(values.get("created_at")) or 0.0,
        )


@dataclass(frozen=True)
class ArtifactMetadata:
    """metadata.json of one version. Times are Unix seconds, sizes bytes; ``manifest_digest`` is that of manifest.json.

    extra: keys that are not ours, written again as they were.
    """

    name: str
    type: str
    version: int
    created_at: float
    updated_at: float
    created_by_run: str
    created_by_user: str | None = None
    size_bytes: int = 0
    num_files: int = 0
    num_references: int = 0
    status: str = ArtifactStatus.READY.value
    metadata: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    parent_artifacts: tuple[str, ...] = ()
    manifest_digest: str | None = None
    lifecycle_stage: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        values = {key: getattr(self, key) for key in _METADATA_KEYS}
        for key in ("tags", "aliases", "parent_artifacts"):
            values[key] = list(values[key])
        if self.lifecycle_stage is None:
            del values["lifecycle_stage"]  # 0.4.1 refuses keys it does not know
        return values | self.extra

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArtifactMetadata:
        return cls(
            name=_text(values.get("name")),
            type=_text(values.get("type")),
            version=integer(values.get("version")) or 0,
            created_at=number(values.get("created_at")) or 0.0,
            updated_at=number(values.get("updated_at")) or number(values.get("created_at")) or 0.0,
            created_by_run=_text(values.get("created_by_run")),
            created_by_user=optional_text(values.get("created_by_user")),
            size_bytes=integer(values.get("size_bytes")) or 0,
            num_files=integer(values.get("num_files")) or 0,
            num_references=integer(values.get("num_references")) or 0,
            status=_text(values.get("status")) or ArtifactStatus.READY.value,
            metadata=_mapping(values.get("metadata")),
            description=_text(values.get("description")),
            tags=_texts(values.get("tags")),
            aliases=_texts(values.get("aliases")),
            parent_artifacts=_texts(values.get("parent_artifacts")),
            manifest_digest=optional_text(values.get("manifest_digest")),
            lifecycle_stage=optional_text(values.get("lifecycle_stage")),
            extra={str(key): value for key, value in values.items() if key not in _METADATA_KEYS},
        )


_METADATA_KEYS = tuple(key for key in ArtifactMetadata.__dataclass_fields__ if key != "extra")


@dataclass(frozen=True)
class ArtifactVersionInfo:
    """One version in the list of an artifact. created_at: Unix seconds. aliases: those that name it now."""

    version: int
    created_at: float
    created_by_run: str
    size_bytes: int
    num_files: int
    status: str
    aliases: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__dataclass_fields__} | {"aliases": list(self.aliases)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArtifactVersionInfo:
        return cls(
            version=integer(values.get("version")) or 0,
            created_at=number(values.get("created_at")) or 0.0,
            created_by_run=_text(values.get("created_by_run")),
            size_bytes=integer(values.get("size_bytes")) or 0,
            num_files=integer(values.get("num_files")) or 0,
            status=_text(values.get("status")) or ArtifactStatus.READY.value,
            aliases=_texts(values.get("aliases")),
        )


@dataclass(frozen=True)
class ArtifactIndex:
    """versions.json of one artifact. Times are Unix seconds.

    aliases: alias → version, the truth but for ``latest``. next_version: 0 if the document does not say.
    """

    artifact_name: str
    artifact_type: str
    versions: tuple[ArtifactVersionInfo, ...] = ()
    aliases: dict[str, int] = field(default_factory=dict)
    created_at: float = 0.0
    updated_at: float = 0.0
    next_version: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "artifact_name": self.artifact_name,
            "artifact_type": self.artifact_type,
            "versions": [info.to_dict() for info in self.versions],
            "aliases": self.aliases,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "next_version": self.next_version,
            **self.extra,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArtifactIndex:
        aliases = {_text(key): integer(target) for key, target in _mapping(values.get("aliases")).items()}
        return cls(
            artifact_name=_text(values.get("artifact_name")),
            artifact_type=_text(values.get("artifact_type")),
            versions=tuple(map(ArtifactVersionInfo.from_dict, _mappings(values.get("versions")))),
            aliases={alias: version for alias, version in aliases.items() if version is not None and version > 0},
            created_at=number(values.get("created_at")) or 0.0,
            updated_at=number(values.get("updated_at")) or 0.0,
            next_version=max(integer(values.get("next_version")) or 0, 0),
            extra={str(key): value for key, value in values.items() if key not in _INDEX_KEYS},
        )


_INDEX_KEYS = tuple(key for key in ArtifactIndex.__dataclass_fields__ if key != "extra")


def _text(value: object) -> str:
    return optional_text(value) or ""


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _mappings(value: object) -> Iterable[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in value if isinstance(item, str)) if isinstance(value, (list, tuple)) else ()
