"""Reads of artifacts: the list, an artifact's versions, one version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from artifacts.access import other_roots
from artifacts.models import Artifact, ArtifactAlias, ArtifactVersion
from experiments.queries.runs import root_places
from runicorn.artifacts.names import LATEST
from runicorn.errors import ArtifactNotFound

#: SQLite of old builds takes 999 parameters.
KEYS_A_QUERY = 900


@dataclass(frozen=True)
class ArtifactSearch:
    """What narrows the list of artifacts. include_deleted: also those of which every version is deleted."""

    type: str | None = None
    text: str | None = None
    root: str | None = None
    include_deleted: bool = False


def artifact_list(
    search: ArtifactSearch, *, offset: int = 0, limit: int | None = None, slice_size: int
) -> Iterator[list[dict[str, Any]]]:
    """The artifacts as API items, the newest change first, in lists of at most ``slice_size``.

    All rows are read before the first list is given: who reads slowly holds nothing.
    """
    roots = {pk: place for pk, place in root_places().items() if place.enabled and search.root in (None, place.key)}
    artifacts = Artifact.objects.filter(root__in=roots)
    if not search.include_deleted:
        artifacts = artifacts.filter(latest_version__isnull=False)
    if search.type is not None:
        artifacts = artifacts.filter(type=search.type)
    if search.text is not None:
        artifacts = artifacts.filter(search_text__contains=search.text.casefold())
    end = None if limit is None else offset + limit
    ordered = artifacts.order_by("-updated_at", "name", "type", "pk")
    rows = list(ordered.values_list("pk", "root_id", *_LIST_COLUMNS)[offset:end])
    aliases = aliases_of(pk for pk, *_ in rows)
    for first in range(0, len(rows), slice_size):
        yield [
            {
                "name": name,
                "type": type_,
                "num_versions": count,
                "latest_version": latest,
                "size_bytes": size,
                "created_at": created_at,
                "updated_at": updated_at,
                "aliases": aliases.get(pk, {}),
                "root": roots[root_id].key,
            }
            for pk, root_id, name, type_, count, latest, size, created_at, updated_at in rows[
                first : first + slice_size
            ]
        ]


_LIST_COLUMNS = (
    "name",
    "type",
    "version_count",
    "latest_version",
    "latest_size_bytes",
    "created_at",
    "updated_at",
)


def aliases_of(artifacts: Iterable[int]) -> dict[int, dict[str, int]]:
    """Alias → version of each artifact that has any, by Artifact.pk; ``latest`` first, then by name."""
    found: dict[int, dict[str, int]] = {}
    for some in slices(list(artifacts)):
        rows = ArtifactAlias.objects.filter(artifact__in=some).values_list("artifact_id", "alias", "number")
        for pk, alias, number in sorted(rows, key=lambda row: (row[1] != LATEST, row[1])):
            found.setdefault(pk, {})[alias] = number
    return found


def aliases_by_version(artifact: Artifact) -> dict[int, list[str]]:
    """The aliases of each version that has any, by its number."""
    by_version: dict[int, list[str]] = {}
    for alias, number in aliases_of([artifact.pk]).get(artifact.pk, {}).items():
        by_version.setdefault(number, []).append(alias)
    return by_version


def version_list(artifact: Artifact) -> list[dict[str, Any]]:
    """Every version as an API item, ascending, deleted ones too."""
    aliases = aliases_by_version(artifact)
    return [
        {
            "version": number,
            "created_at": created_at,
            "created_by_run": run,
            "size_bytes": size,
            "num_files": num_files,
            "status": status,
            "aliases": aliases.get(number, []),
        }
        for number, created_at, run, size, num_files, status in versions_of(artifact).values_list(
            "number", "created_at", "created_by_run", "size_bytes", "num_files", "status"
        )
    ]


def versions_of(artifact: Artifact) -> QuerySet[ArtifactVersion]:
    """Ascending by number."""
    return ArtifactVersion.objects.filter(artifact=artifact).order_by("number")


def newest_version(artifact: Artifact) -> ArtifactVersion:
    """The highest version outside the recycle bin, or if all are in it the highest, with its ``artifact`` loaded."""
    versions = versions_of(artifact).select_related("artifact__root").reverse()
    kept = versions.filter(deleted_at=None).first()
    newest = kept or versions.first()
    if newest is None:
        raise ArtifactNotFound(f"Artifact not found: {artifact.name}")
    return newest


def version_item(version: ArtifactVersion) -> dict[str, Any]:
    """One version as the API gives it; its ``artifact`` and that one's ``root`` are loaded."""
    artifact = version.artifact
    return {
        "name": artifact.name,
        "type": artifact.type,
        "version": version.number,
        "created_at": version.created_at,
        "updated_at": version.updated_at,
        "created_by_run": version.created_by_run,
        "created_by_user": version.created_by_user,
        "size_bytes": version.size_bytes,
        "num_files": version.num_files,
        "num_references": version.num_references,
        "status": version.status,
        "metadata": version.metadata,
        "description": version.description,
        "tags": version.tags,
        "aliases": aliases_by_version(artifact).get(version.number, []),
        "manifest_digest": version.manifest_digest,
        "lifecycle_stage": version.stage,
        "deleted_at": version.deleted_at,
        "root": artifact.root.key,
        "also_in": other_roots(version),
    }


def slices(keys: Collection[Any], size: int = KEYS_A_QUERY) -> Iterator[list[Any]]:
    """As many as one query may name."""
    listed = list(keys)
    return (listed[first : first + size] for first in range(0, len(listed), size))
