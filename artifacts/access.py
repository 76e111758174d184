"""Which artifact and version a request means: every view gets them here.

As in ``experiments.access``, whoever may ask at all sees everything.
"""

from __future__ import annotations

from collections.abc import Sequence

from artifacts.lineage import MAX_NUMBER
from artifacts.models import Artifact, ArtifactVersion
from experiments.models import StorageRoot
from runicorn.errors import AmbiguousArtifact, ArtifactNotFound, VersionNotFound


def get_artifact_for(user: object | None, name: str, *, type: str | None = None, root: str | None = None) -> Artifact:
    """The artifact that a name means, deleted versions or not, with its ``root`` loaded.

    The local root is looked in first, then the others, the newest change first. type, root: to look there only.
    Raises ArtifactNotFound, AmbiguousArtifact if artifacts of several types in that root have the name.
    """
    return _the_one(_artifacts(name, type, root), name)


def artifacts_called(
    user: object | None, name: str, *, type: str | None = None, root: str | None = None
) -> list[Artifact]:
    """Every artifact of that name, the best root's first, each with its ``root`` loaded."""
    return _artifacts(name, type, root)


def get_version_for(
    user: object | None, name: str, number: int, *, type: str | None = None, root: str | None = None
) -> ArtifactVersion:
    """The version, deleted or not, with its ``artifact`` and that one's ``root`` loaded.

    As ``get_artifact_for``, but an artifact without that version is passed over.
    Raises ArtifactNotFound, VersionNotFound, AmbiguousArtifact.
    """
    artifacts = _artifacts(name, type, root)
    if not artifacts:
        raise ArtifactNotFound(f"Artifact not found: {name}")
    found = {}
    if number <= MAX_NUMBER:
        versions = ArtifactVersion.objects.filter(artifact__in=artifacts, number=number)
        found = {version.artifact_id: version for version in versions.select_related("artifact__root")}
    having = [artifact for artifact in artifacts if artifact.pk in found]
    if not having:
        raise VersionNotFound(f"Version not found: {name}:v{number}")
    return found[_the_one(having, name).pk]


def _artifacts(name: str, type_: str | None, root: str | None) -> list[Artifact]:
    """All artifacts of that name in enabled roots, best root first."""
    found = Artifact.objects.filter(name=name, root__enabled=True).select_related("root")
    if type_ is not None:
        found = found.filter(type=type_)
    if root is not None:
        found = found.filter(root__key=root)
    return sorted(found, key=lambda one: (one.root.key != StorageRoot.LOCAL, -one.updated_at, one.root.key))


def _the_one(artifacts: Sequence[Artifact], name: str) -> Artifact:
    if not artifacts:
        raise ArtifactNotFound(f"Artifact not found: {name}")
    types = sorted(artifact.type for artifact in artifacts if artifact.root_id == artifacts[0].root_id)
    if len(types) > 1:
        raise AmbiguousArtifact(f"{name} is the name of a {' and a '.join(types)}; choose one with ?type={types[0]}.")
    return artifacts[0]


def other_roots(version: ArtifactVersion) -> list[str]:
    """The keys of the other storage roots that have a version of the same type, name and number."""
    artifact = version.artifact
    others = ArtifactVersion.objects.filter(
        number=version.number, artifact__type=artifact.type, artifact__name=artifact.name, artifact__root__enabled=True
    ).exclude(pk=version.pk)
    return sorted(others.values_list("artifact__root__key", flat=True))
