"""The versions that lineage subjects mean, where they are there."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import QuerySet

from artifacts.lineage import Subject
from artifacts.models import ArtifactVersion
from artifacts.queries.artifacts import slices

#: Names and numbers of so many fit into one query: SQLite of old builds takes 999 parameters.
SUBJECTS_A_QUERY = 400


class VersionFacts(NamedTuple):
    """What a graph tells of a version. Times are Unix seconds; deleted_at: in the recycle bin since then."""

    size_bytes: int
    created_at: float
    deleted_at: float | None
    created_by_run: str


def versions_there(root: int, subjects: Collection[Subject]) -> dict[Subject, ArtifactVersion]:
    """Those of the subjects that the storage root has, deleted ones too; without their large columns."""
    found: dict[Subject, ArtifactVersion] = {}
    for some in map(set, slices(sorted(subjects), SUBJECTS_A_QUERY)):
        versions = _versions(root, some).select_related("artifact").defer("metadata", "marks", "artifact__marks")
        for version in versions:
            subject = Subject(version.artifact.type, version.artifact.name, version.number)
            if subject in some:
                found[subject] = version
    return found


def facts_there(root: int, subjects: Collection[Subject]) -> dict[Subject, VersionFacts]:
    """As ``versions_there``, for thousands: a model's instance for each would take most of the time."""
    found: dict[Subject, VersionFacts] = {}
    for some in map(set, slices(sorted(subjects), SUBJECTS_A_QUERY)):
        rows = _versions(root, some).values_list(*_SUBJECT_COLUMNS, *VersionFacts._fields)
        for type_, name, number, *facts in rows:
            subject = Subject(type_, name, number)
            if subject in some:
                found[subject] = VersionFacts(*facts)
    return found


_SUBJECT_COLUMNS = ("artifact__type", "artifact__name", "number")


def _versions(root: int, subjects: Collection[Subject]) -> QuerySet[ArtifactVersion]:
    """Those versions, and some others that have a name and a number of theirs."""
    names, numbers = {subject.name for subject in subjects}, {subject.number for subject in subjects}
    return ArtifactVersion.objects.filter(artifact__root=root, artifact__name__in=names, number__in=numbers)
