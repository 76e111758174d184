"""Which artifact or version a request means: by its address, with ``type`` and ``root`` where several are called so."""

from __future__ import annotations

from http import HTTPStatus

from rest_framework.request import Request

from artifacts.access import get_artifact_for, get_version_for
from artifacts.api.serializers import ArtifactChoiceQuery
from artifacts.models import Artifact, ArtifactVersion

#: For ``errors=`` of what is named by a name that several types may have.
NOT_THE_ONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def chosen_artifact(request: Request, name: str) -> Artifact:
    """Raises ValidationError, ArtifactNotFound, AmbiguousArtifact."""
    return get_artifact_for(request.user, name, **ArtifactChoiceQuery.parse(request.query_params))


def chosen_version(request: Request, name: str, version: int) -> ArtifactVersion:
    """Raises as ``chosen_artifact``, and VersionNotFound."""
    return get_version_for(request.user, name, version, **ArtifactChoiceQuery.parse(request.query_params))
