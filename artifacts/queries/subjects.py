"""The versions that lineage subjects mean, where they are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from artifacts.lineage import Subject
from artifacts.models import ArtifactVersion

#: Names and numbers of so many fit into one query: SQLite of old builds takes 999 parameters.
SUBJECTS_A_QUERY = 400


def versions_there(root: int, subjects: Collection[Subject]) -> dict[Subject, ArtifactVersion]:
    """Those of the subjects that the storage root has, deleted ones too; without their large columns."""
    found: dict[Subject, ArtifactVersion] = {}
    for some in _slices(subjects):
        versions = ArtifactVersion.objects.filter(
            artifact__root=root,
            artifact__name__in={subject.name for subject in some},
            number__in={subject.number for subject in some},
        )
        for version in versions.select_related("artifact").defer("metadata", "marks", "artifact__marks"):
            subject = Subject(version.artifact.type, version.artifact.name, version.number)
            if subject in some:
                found[subject] = version
    return found


def _slices(subjects: Collection[Subject]) -> Iterator[set[Subject]]:
    listed = sorted(subjects)
    for first in range(0, len(listed), SUBJECTS_A_QUERY):
        yield set(listed[first : first + SUBJECTS_A_QUERY])
