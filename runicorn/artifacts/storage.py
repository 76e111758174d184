"""``ArtifactStorage``: the artifacts of one storage root, for Python programs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from runicorn.artifacts import curation, removal
from runicorn.artifacts.artifact import Artifact
from runicorn.artifacts.documents import read_index, read_manifest, read_metadata, resolve_version
from runicorn.artifacts.garbage import collect_garbage
from runicorn.artifacts.models import (
    ArtifactManifest,
    ArtifactMetadata,
    ArtifactStatus,
    ArtifactVersionInfo,
    ReferenceEntry,
)
from runicorn.artifacts.names import LATEST, ArtifactType, check_inner_path, parse_type
from runicorn.artifacts.places import ArtifactPlace, all_places, find_places
from runicorn.artifacts.reading import download, stored_path
from runicorn.artifacts.saving import NewVersion, save_version
from runicorn.artifacts.staging import StagedFile
from runicorn.artifacts.statistics import artifact_figures
from runicorn.errors import ArtifactNotFound, InvalidInput
from runicorn.guard import warn

_time = time.time


class ArtifactStorage:
    """The artifacts below one storage root. Any number of processes may use one root at once."""

    def __init__(self, storage_root: str | os.PathLike[str]) -> None:
        self.root = Path(storage_root).absolute()

    def save_artifact(
        self,
        artifact: Artifact,
        run_id: str,
        staged_files: Iterable[tuple[str | os.PathLike[str], str]],
        staged_references: Sequence[ReferenceEntry],
        user: str | None = None,
        *,
        skip_unchanged: bool = False,
    ) -> int:
        """Store files and references as the next version; returns its number and makes ``artifact`` that version.

        staged_files: pairs of where a file lies and its path inside the artifact.
        Raises InvalidInput (a ValueError) if there is nothing to store, and what save_version raises.
        """
        files = [StagedFile(os.path.abspath(source), check_inner_path(path)) for source, path in staged_files]
        if not files and not staged_references:
            raise InvalidInput(f"Artifact {artifact.name} has no files and no references; add some before logging it.")
        place = ArtifactPlace(self.root, artifact.type, artifact.name)
        stored = save_version(
            place,
            NewVersion(
                files=files,
                references=staged_references,
                created_by_run=run_id,
                created_by_user=user,
                created_at=_time(),
                description=artifact.description,
                tags=artifact.tags,
                metadata=artifact.metadata,
                skip_unchanged=skip_unchanged,
            ),
        )
        artifact.set_stored(place, stored.metadata, stored.manifest)
        return stored.metadata.version

    def find(self, name: str, type: str | ArtifactType | None = None) -> ArtifactPlace:
        """Where the artifact lies, types searched in their order. Raises ArtifactNotFound (a FileNotFoundError)."""
        places = find_places(self.root, name, None if type is None else parse_type(type))
        if not places:
            raise ArtifactNotFound(f"Artifact not found: {name}")
        return places[0]

    def open_artifact(self, name: str, wanted: int | str, type: str | ArtifactType | None = None) -> Artifact:
        """The version that a number or alias names.

        A deleted version is given, with a warning. Raises ArtifactNotFound, VersionNotFound (both FileNotFoundErrors),
        AliasNotFound (a ValueError).
        """
        place = self.find(name, type)
        metadata, manifest = self._load(place, resolve_version(place, wanted))
        if metadata.status == ArtifactStatus.DELETED.value:
            warn("%s:v%d is deleted; it may be removed for good any time.", name, metadata.version)
        return Artifact.from_stored(place, metadata, manifest)

    def load_artifact(
        self, name: str, type: str | ArtifactType | None, version: int | None = None, alias: str | None = None
    ) -> tuple[ArtifactMetadata, ArtifactManifest]:
        """What the documents of one version say, by default of the latest. Raises as open_artifact.

        Raises InvalidInput (a ValueError) if both version and alias are given.
        """
        if version is not None and alias is not None:
            raise InvalidInput("Give a version or an alias, not both.")
        place = self.find(name, type)
        return self._load(place, resolve_version(place, version if version is not None else alias or LATEST))

    def download_artifact(
        self,
        name: str,
        type: str | ArtifactType | None,
        version: int,
        target_dir: str | os.PathLike[str] | None = None,
    ) -> Path:
        """Copy and verify every file of a version: see Artifact.download. Raises as open_artifact, too."""
        place = self.find(name, type)
        manifest = read_manifest(place.version_folder(version))
        return download(place, version, manifest, None if target_dir is None else Path(target_dir))

    def get_artifact_file_path(
        self, name: str, type: str | ArtifactType | None, version: int, file_path: str
    ) -> Path | None:
        """Where one file of a version lies: see Artifact.get_file_path. Raises as open_artifact, too."""
        place = self.find(name, type)
        return stored_path(place, version, read_manifest(place.version_folder(version)), file_path)

    def list_artifacts(self, type: str | ArtifactType | None = None) -> list[dict[str, Any]]:
        """One dict an artifact that has a version not deleted, the newest change first.

        Keys: name, type, num_versions, latest_version, size_bytes (of the latest), created_at, updated_at, aliases.
        """
        found = []
        for place in all_places(self.root, None if type is None else parse_type(type)):
            index = read_index(place)
            living = [info for info in index.versions if info.status != ArtifactStatus.DELETED.value]
            if living:
                found.append(
                    {
                        "name": place.name,
                        "type": place.type,
                        "num_versions": len(living),
                        "latest_version": living[-1].version,
                        "size_bytes": living[-1].size_bytes,
                        "created_at": index.created_at,
                        "updated_at": index.updated_at,
                        "aliases": index.aliases,
                    }
                )
        return sorted(found, key=lambda item: item["updated_at"], reverse=True)

    def list_versions(self, name: str, type: str | ArtifactType | None = None) -> list[ArtifactVersionInfo]:
        """Every version, ascending, deleted ones included. Raises ArtifactNotFound."""
        return list(read_index(self.find(name, type)).versions)

    def delete_artifact_version(
        self, name: str, type: str | ArtifactType | None, version: int, soft_delete: bool = True
    ) -> bool:
        """Put a version into the recycle bin, or remove it for good; False if it was there. Raises as open_artifact."""
        place = self.find(name, type)
        if soft_delete:
            return removal.delete_version(place, version, by="user", at=_time())
        removal.purge_version(place, version, at=_time())
        return True

    def restore_version(self, name: str, type: str | ArtifactType | None, version: int) -> bool:
        """Take a version out of the recycle bin; False if it was not there. Raises as open_artifact."""
        return removal.restore_version(self.find(name, type), version, at=_time())

    def set_alias(self, name: str, type: str | ArtifactType | None, version: int, alias: str) -> bool:
        """Make ``alias`` name that version; False if it does already. Raises InvalidName, and as open_artifact."""
        return curation.set_alias(self.find(name, type), version, alias, at=_time())

    def remove_alias(self, name: str, type: str | ArtifactType | None, alias: str) -> int:
        """Take an alias away; returns the version it named. Raises AliasNotFound, and as open_artifact."""
        return curation.remove_alias(self.find(name, type), alias, at=_time())

    def get_storage_stats(self) -> dict[str, object]:
        """Counts, sizes and the space on the disk, with the keys of ``GET /api/artifacts/stats``."""
        return artifact_figures(self.root).to_dict()

    def cleanup_orphaned_dedup(self) -> int:
        """Remove contents that no version names and that are older than a day; returns how many. See ``gc``."""
        garbage = collect_garbage(self.root, at=_time())
        return garbage.contents + garbage.compacted

    @staticmethod
    def _load(place: ArtifactPlace, version: int) -> tuple[ArtifactMetadata, ArtifactManifest]:
        folder = place.version_folder(version)
        return read_metadata(folder, place, version, read_index(place).aliases), read_manifest(folder)


@cache
def _shared(root: Path) -> ArtifactStorage:
    return ArtifactStorage(root)


def get_artifact_storage(storage_root: str | os.PathLike[str]) -> ArtifactStorage:
    """The storage of a root, the same object each time."""
    return _shared(Path(storage_root).absolute())


create_artifact_storage = get_artifact_storage
