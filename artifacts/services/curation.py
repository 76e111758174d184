"""What people do to versions: aliases, tags, descriptions, stages, evaluations, the recycle bin, removal for good.

The files change first, the rows follow: if a process dies in between, the mirror's next tick does the rest. Versions
and artifacts come with their ``root`` loaded; times are Unix seconds. Each call raises what the function of the
library does that it is named after: InvalidInput, NotFound, Conflict, StorageDamaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from artifacts.mirror import ArtifactKey, refresh_artifact
from artifacts.models import Artifact, ArtifactVersion
from runicorn.artifacts import curation, evaluations, removal
from runicorn.artifacts.curation import StageMove, VersionEdit
from runicorn.artifacts.evaluations import Evaluation
from runicorn.artifacts.models import ArtifactMetadata
from runicorn.artifacts.names import LATEST
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.removal import Freed
from runicorn.errors import InvalidInput

#: Who the markers of the recycle bin say deleted a version.
DELETED_BY = "user"


def set_alias(version: ArtifactVersion, alias: str, *, at: float) -> None:
    """Make ``alias`` name the version and no other. InvalidInput also for ``latest``, which follows the versions."""
    if alias == LATEST:
        raise InvalidInput(f"The alias {LATEST!r} always names the newest version; it cannot be set.")
    with _changing(version.artifact, at=at) as place:
        curation.set_alias(place, version.number, alias, at=at)


def remove_alias(artifact: Artifact, alias: str, *, at: float) -> int:
    """Returns the version that the alias named."""
    with _changing(artifact, at=at) as place:
        return curation.remove_alias(place, alias, at=at)


def remove_alias_from(version: ArtifactVersion, alias: str, *, at: float) -> None:
    """As ``remove_alias``, unless the alias has moved to another version: then it stays there, and Conflict says so."""
    with _changing(version.artifact, at=at) as place:
        curation.remove_alias(place, alias, at=at, version=version.number)


def edit_version(version: ArtifactVersion, edit: VersionEdit, *, at: float) -> ArtifactMetadata:
    with _changing(version.artifact, at=at) as place:
        return curation.edit_version(place, version.number, edit, at=at)


def move_stage(version: ArtifactVersion, move: StageMove, *, at: float) -> str:
    """Returns the stage that the version had."""
    with _changing(version.artifact, at=at) as place:
        return curation.move_stage(place, version.number, move, at=at)


def record_evaluation(version: ArtifactVersion, evaluation: Evaluation, *, at: float) -> str:
    """Returns the evaluation's id."""
    with _changing(version.artifact, at=at) as place:
        return evaluations.record_evaluation(place, version.number, evaluation)


def delete_version(version: ArtifactVersion, *, at: float) -> bool:
    """Into the recycle bin; False if it was there."""
    with _changing(version.artifact, at=at) as place:
        return removal.delete_version(place, version.number, by=DELETED_BY, at=at)


def restore_version(version: ArtifactVersion, *, at: float) -> bool:
    """Out of the recycle bin; False if it was not there."""
    with _changing(version.artifact, at=at) as place:
        return removal.restore_version(place, version.number, at=at)


def freed_by_purging(version: ArtifactVersion, *, at: float) -> Freed:
    """What ``purge_version`` would free; changes nothing."""
    return removal.freed_by_purging(version.artifact.place, version.number, at=at)


def bytes_freed_by_purging(versions: Iterable[ArtifactVersion], *, at: float) -> int:
    """What purging all of these frees, at once or by a later gc, also what only they share; changes nothing."""
    by_root: dict[int, list[tuple[ArtifactPlace, int]]] = {}
    for version in versions:
        by_root.setdefault(version.artifact.root_id, []).append((version.artifact.place, version.number))
    freed = [removal.freed_by_purging_all(of_root, at=at) for of_root in by_root.values()]
    return sum(one.freed_bytes + one.waiting_bytes for one in freed)


def purge_version(version: ArtifactVersion, *, at: float) -> Freed:
    """Remove the version for good, with the content that no other has; its row goes, too."""
    with _changing(version.artifact, at=at) as place:
        return removal.purge_version(place, version.number, at=at)


def purge_deleted_version(version: ArtifactVersion, *, at: float) -> Freed:
    """As ``purge_version``, for one in the recycle bin; another stays, and Conflict says so."""
    with _changing(version.artifact, at=at) as place:
        return removal.purge_version(place, version.number, at=at, only_deleted=True)


@contextmanager
def _changing(artifact: Artifact, *, at: float) -> Iterator[ArtifactPlace]:
    """The artifact's place; afterwards its rows say what the files do, also where the change was refused half-way."""
    try:
        yield artifact.place
    finally:
        refresh_artifact(artifact.root, ArtifactKey(artifact.type, artifact.name), now=at)
