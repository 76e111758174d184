"""Storing a version: built under a hidden name, made durable, then renamed. What a crash leaves: 0019-artifacts.md."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runicorn.artifacts.documents import LOCK_TIMEOUT_S, locked, read_index, read_manifest, read_metadata, write_index
from runicorn.artifacts.models import (
    ArtifactIndex,
    ArtifactManifest,
    ArtifactMetadata,
    ArtifactStatus,
    ArtifactVersionInfo,
    FileEntry,
    ReferenceEntry,
)
from runicorn.artifacts.names import LATEST
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.pool import Pool
from runicorn.artifacts.staging import StagedFile, stage_files
from runicorn.errors import RunicornError, VersionNotStored
from runicorn.storage import json_text, layout
from runicorn.storage.digests import digest_of, prefixed
from runicorn.storage.documents import sync_folder, write_document, write_file

#: Before the name of a version that is being made.
STAGING_PREFIX = ".staging-"
#: What rename answers when the number is taken.
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


@dataclass(frozen=True)
class NewVersion:
    """What is to be stored. created_at: Unix seconds.

    skip_unchanged: return the latest version instead if it has the same files and references.
    """

    files: Sequence[StagedFile]
    references: Sequence[ReferenceEntry]
    created_by_run: str
    created_at: float
    created_by_user: str | None = None
    description: str = ""
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    skip_unchanged: bool = False


@dataclass(frozen=True)
class StoredVersion:
    """What was stored. is_new: False if the latest version has the same content, and was asked for then."""

    metadata: ArtifactMetadata
    manifest: ArtifactManifest
    is_new: bool


def save_version(place: ArtifactPlace, new: NewVersion) -> StoredVersion:
    """Store the next version of an artifact. It is there as a whole when this returns, and not at all if it raises.

    Raises VersionNotStored (a RuntimeError) if the disk or the storage root refuses, FileNotFoundError or
    InvalidInput for a source that cannot be stored, Conflict if the artifact is locked for a minute.
    """
    _check_sources(new.files)
    staging = place.home / f"{STAGING_PREFIX}{os.urandom(8).hex()}"
    try:
        earlier = _manifest_of_latest(place, read_index(place))
        (staging / layout.VERSION_FILES_DIR).mkdir(parents=True)
        entries = stage_files(
            new.files,
            staging / layout.VERSION_FILES_DIR,
            pool=Pool(place.artifacts_dir),
            earlier={entry.path: entry for entry in earlier.files},
        )
        manifest = ArtifactManifest(tuple(entries), tuple(new.references), new.created_at)
        return _commit(place, staging, new, manifest)
    except RunicornError:
        raise
    except OSError as error:
        raise VersionNotStored(
            f"No version of {place.name} can be stored below {place.root}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)  # after a rename there is none


def _check_sources(files: Sequence[StagedFile]) -> None:
    """A file that has gone since it was added is the caller's mistake, not the storage root's."""
    for file in files:
        if not os.path.exists(file.source):
            raise FileNotFoundError(errno.ENOENT, "This file of the artifact is gone", file.source)


def _manifest_of_latest(place: ArtifactPlace, index: ArtifactIndex) -> ArtifactManifest:
    """What the newest version holds; an empty manifest if there is none, or none that can be read."""
    latest = index.aliases.get(LATEST)
    if latest is None:
        return ArtifactManifest()
    try:
        return read_manifest(place.version_folder(latest))
    except RunicornError:
        return ArtifactManifest()


def _commit(place: ArtifactPlace, staging: Path, new: NewVersion, manifest: ArtifactManifest) -> StoredVersion:
    content = json_text.dumps_large(manifest.to_dict())
    write_file(staging / layout.VERSION_MANIFEST, content)
    metadata = ArtifactMetadata(
        name=place.name,
        type=place.type,
        version=0,
        created_at=new.created_at,
        updated_at=new.created_at,
        created_by_run=new.created_by_run,
        created_by_user=new.created_by_user,
        size_bytes=manifest.total_size,
        num_files=manifest.total_files,
        num_references=manifest.total_references,
        metadata=dict(new.metadata),
        description=new.description,
        tags=tuple(new.tags),
        aliases=(LATEST,),
        manifest_digest=prefixed(digest_of(content)),
    )
    with locked(place, timeout_s=LOCK_TIMEOUT_S):
        index = read_index(place)
        if new.skip_unchanged and (unchanged := _unchanged(place, index, manifest)) is not None:
            return unchanged
        metadata = _take_number(place, staging, metadata, first=index.next_version)
        write_index(place, _with_version(index, metadata), at=new.created_at)
    return StoredVersion(metadata, manifest, is_new=True)


def _take_number(place: ArtifactPlace, staging: Path, metadata: ArtifactMetadata, *, first: int) -> ArtifactMetadata:
    """Rename the staged folder to the first free number. The rename is what takes it: two writers cannot both win."""
    number = first
    while True:
        metadata = replace(metadata, version=number)
        write_document(staging / layout.VERSION_METADATA, metadata.to_dict())
        try:
            os.rename(staging, place.home / f"v{number}")
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            number += 1
        else:
            sync_folder(place.home)
            return metadata


def _unchanged(place: ArtifactPlace, index: ArtifactIndex, manifest: ArtifactManifest) -> StoredVersion | None:
    """The latest version if it holds the same. ``manifest`` is never empty, so one that cannot be read is another."""
    stored = _manifest_of_latest(place, index)
    if _content(stored.files) != _content(manifest.files) or stored.references != manifest.references:
        return None
    latest = index.aliases[LATEST]
    return StoredVersion(
        read_metadata(place.version_folder(latest), place, latest, index.aliases), stored, is_new=False
    )


def _content(files: Sequence[FileEntry]) -> list[tuple[str, str]]:
    return [(entry.path, entry.digest) for entry in files]


def _with_version(index: ArtifactIndex, metadata: ArtifactMetadata) -> ArtifactIndex:
    info = ArtifactVersionInfo(
        version=metadata.version,
        created_at=metadata.created_at,
        created_by_run=metadata.created_by_run,
        size_bytes=metadata.size_bytes,
        num_files=metadata.num_files,
        status=ArtifactStatus.READY.value,
        aliases=(LATEST,),
    )
    earlier = [
        replace(other, aliases=tuple(alias for alias in other.aliases if alias != LATEST)) for other in index.versions
    ]
    return replace(
        index,
        versions=(*earlier, info),
        aliases=index.aliases | {LATEST: metadata.version},
        next_version=metadata.version + 1,
    )
