"""Reading what the documents of artifacts say, each field from the place that is the truth for it.

Which versions there are: their folders. Which are deleted: the marker in the folder. Aliases: the map of
versions.json, but for ``latest``, which is computed. Everything else: metadata.json and manifest.json of the version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from runicorn.artifacts.models import (
    ArtifactIndex,
    ArtifactManifest,
    ArtifactMetadata,
    ArtifactStatus,
    ArtifactVersionInfo,
)
from runicorn.artifacts.names import LATEST
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import (
    AliasNotFound,
    ArtifactNotFound,
    Conflict,
    RunicornError,
    StorageDamaged,
    UnreadableDocument,
    VersionNotFound,
)
from runicorn.storage import layout
from runicorn.storage.documents import read_document, write_document
from runicorn.storage.file_lock import file_lock

#: A manifest of a million files has about 200 MB.
MAX_MANIFEST_BYTES = 512 * 1024 * 1024
#: The lock is held for the few writes of a change only, never while bytes are copied. People who change something
#: are told after a few seconds that it is held; what logs or repairs in the background waits for longer.
PATIENCE_S = 5.0
LOCK_TIMEOUT_S = 60.0


def is_deleted(version_folder: Path) -> bool:
    return os.path.lexists(version_folder / layout.DELETED)


def read_index(place: ArtifactPlace) -> ArtifactIndex:
    """The artifact's versions and aliases as they are now, whatever versions.json missed.

    A version that nobody wrote down, because its writer died, is there; one whose folder is gone is not.
    An unreadable versions.json says nothing: aliases are then lost, versions are not.
    """
    home, older = _read_map(place.home), _read_map(place.older_home)
    index = ArtifactIndex.from_dict(home or older)
    listed = {info.version: info for info in (*ArtifactIndex.from_dict(older).versions, *index.versions)}
    folders = place.version_folders()
    aliases = {alias: version for alias, version in index.aliases.items() if alias != LATEST and version in folders}
    latest = max((number for number, folder in folders.items() if not is_deleted(folder)), default=None)
    if latest is not None:
        aliases[LATEST] = latest
    infos = [_info(number, folder, listed.get(number), aliases) for number, folder in folders.items()]
    return replace(
        index,
        artifact_name=place.name,
        artifact_type=place.type,
        versions=tuple(infos),
        aliases=aliases,
        created_at=index.created_at or min((info.created_at for info in infos), default=0.0),
        updated_at=index.updated_at or max((info.created_at for info in infos), default=0.0),
        next_version=max(index.next_version, place.highest_number() + 1, max(listed, default=0) + 1),
    )


def read_metadata(folder: Path, place: ArtifactPlace, version: int, aliases: Mapping[str, int]) -> ArtifactMetadata:
    """What metadata.json in a version's folder says. The folder's own names win. aliases: the artifact's map.

    Raises UnreadableDocument.
    """
    metadata = ArtifactMetadata.from_dict(read_document(folder, layout.VERSION_METADATA) or {})
    return replace(
        metadata,
        name=place.name,
        type=place.type,
        version=version,
        status=ArtifactStatus.DELETED.value if is_deleted(folder) else metadata.status,
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == version)),
    )


def read_manifest(folder: Path) -> ArtifactManifest:
    """Every file of the version in ``folder``. Raises UnreadableDocument."""
    values = read_document(folder, layout.VERSION_MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
    if values is None:
        raise UnreadableDocument(f"{folder / layout.VERSION_MANIFEST} is missing.")
    try:
        return ArtifactManifest.from_dict(values)
    except UnreadableDocument as error:
        raise UnreadableDocument(f"{folder / layout.VERSION_MANIFEST}: {error}") from error


def resolve_version(place: ArtifactPlace, wanted: int | str) -> int:
    """The number of a version: ``wanted`` itself, or what that alias names.

    Raises ArtifactNotFound, VersionNotFound or AliasNotFound (which lists the aliases there are).
    """
    if isinstance(wanted, int):
        place.version_folder(wanted)
        return wanted
    index = read_index(place)
    if not index.versions:
        raise ArtifactNotFound(f"Artifact not found: {place.name}")
    version = index.aliases.get(wanted)
    if version is None and wanted == LATEST:
        raise VersionNotFound(f"Every version of {place.name} is deleted; name one by its number or restore it.")
    if version is None:
        known = ", ".join(sorted(index.aliases)) or "none"
        raise AliasNotFound(f"{place.name} has no alias {wanted!r}; its aliases: {known}.")
    return version


@contextmanager
def locked(place: ArtifactPlace, *, timeout_s: float = PATIENCE_S) -> Iterator[None]:
    """Keep other writers of this artifact out. Raises Conflict after ``timeout_s``, StorageDamaged for no lock at all.

    On a file system without locks the block runs all the same: numbers of versions are taken by a rename, which
    only one can win; of two changes of aliases at the same moment the later one stays.
    """
    try:
        place.home.mkdir(parents=True, exist_ok=True)
        with file_lock(place.home / layout.ARTIFACT_LOCK, timeout_s=timeout_s) as held:
            if held is False:
                raise Conflict(f"Somebody else has been changing {place.name} for {timeout_s:.0f} s; try again.")
            yield
    except RunicornError:  # some are OSErrors, too
        raise
    except OSError as error:
        raise StorageDamaged(f"{place.home} cannot be written: {error.strerror or error}.") from error


def write_index(place: ArtifactPlace, index: ArtifactIndex, *, at: float) -> None:
    """Replace versions.json. Call it within ``locked``. at: Unix seconds of the change. Raises OSError.

    It lists the versions of its own folder: a reader of 0.4 looks for them nowhere else. A file that cannot be read
    is kept beside the new one: somebody may still find an alias in it.
    """
    try:
        read_document(place.home, layout.VERSIONS)
    except UnreadableDocument:
        os.replace(place.home / layout.VERSIONS, place.home / f"{layout.VERSIONS}.damaged")
    own = place.version_folders()
    infos = tuple(info for info in index.versions if own.get(info.version, place.older_home).parent == place.home)
    index = replace(index, versions=infos, created_at=index.created_at or at, updated_at=at)
    write_document(place.home / layout.VERSIONS, index.to_dict())
    place.touch()


def _info(
    version: int, folder: Path, listed: ArtifactVersionInfo | None, aliases: Mapping[str, int]
) -> ArtifactVersionInfo:
    """The line of a version in the list: as versions.json has it, else from the version's own metadata."""
    if listed is None:
        listed = ArtifactVersionInfo.from_dict(_read(folder, layout.VERSION_METADATA))
    status = listed.status
    if is_deleted(folder):
        status = ArtifactStatus.DELETED.value
    elif status == ArtifactStatus.DELETED.value:
        status = ArtifactStatus.READY.value  # restored since
    names = tuple(sorted(alias for alias, target in aliases.items() if target == version))
    return replace(listed, version=version, status=status, aliases=names)


def _read_map(home: Path) -> dict[str, Any]:
    return _read(home, layout.VERSIONS)


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return read_document(folder, name) or {}
    except UnreadableDocument:
        return {}
