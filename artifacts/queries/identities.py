"""Versions by what their files are named by, whatever the index."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, unquote

from django.db.models import QuerySet

from artifacts.lineage import MAX_NUMBER
from artifacts.models import ArtifactVersion
from artifacts.queries.artifacts import slices
from artifacts.queries.subjects import SUBJECTS_A_QUERY

_TEXT = re.compile(r"([^/]*)/([^/]*)/(.+):v([0-9]{1,9})", re.DOTALL)


class VersionIdentity(NamedTuple):
    """The key of the storage root, type and name of the artifact, and the number."""

    root: str
    type: str
    name: str
    number: int

    @classmethod
    def of(cls, version: ArtifactVersion) -> VersionIdentity:
        """``artifact`` and its ``root`` are loaded."""
        artifact = version.artifact
        return cls(artifact.root.key, artifact.type, artifact.name, version.number)

    @classmethod
    def from_text(cls, text: str) -> VersionIdentity | None:
        """What ``str()`` gave; None for anything else."""
        found = _TEXT.fullmatch(text)
        return cls(unquote(found[1]), found[2], found[3], int(found[4])) if found else None

    def __str__(self) -> str:
        return f"{quote(self.root, safe='')}/{self.type}/{self.name}:v{self.number}"


def shown_versions() -> QuerySet[ArtifactVersion]:
    """Those of enabled roots, in the recycle bin or not, with their artifacts and roots, without large columns."""
    versions = ArtifactVersion.objects.filter(artifact__root__enabled=True).select_related("artifact__root")
    return versions.defer("metadata", "marks", "artifact__marks", "artifact__search_text")


def versions_called(identities: Iterable[str]) -> list[ArtifactVersion]:
    """The versions of these identities that there are, by artifact and number."""
    wanted = {identity for text in identities if (identity := VersionIdentity.from_text(text)) is not None}
    found: list[ArtifactVersion] = []
    for some in map(set, slices(sorted(wanted), SUBJECTS_A_QUERY)):
        names, numbers = {one.name for one in some}, {one.number for one in some if one.number <= MAX_NUMBER}
        versions = shown_versions().filter(artifact__name__in=names, number__in=numbers)
        found += [version for version in versions if VersionIdentity.of(version) in some]
    return sorted(found, key=VersionIdentity.of)
