"""Artifacts: the list, an artifact's versions, one version, and what a run recorded."""

from __future__ import annotations

import time
from dataclasses import asdict

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from artifacts.access import get_version_for
from artifacts.api import schemas
from artifacts.api.choice import NOT_THE_ONE, chosen_artifact, chosen_version
from artifacts.api.curation_requests import RemovalQuery
from artifacts.api.serializers import ArtifactChoiceQuery, ArtifactListQuery, LineageQuery
from artifacts.queries.artifacts import ArtifactSearch, artifact_list, version_item, version_list
from artifacts.queries.figures import artifact_figures
from artifacts.queries.lineage import MAX_DEPTH, lineage_item, lineage_of
from artifacts.queries.run_artifacts import run_artifacts
from artifacts.services.curation import delete_version, purge_version
from experiments.access import checked_root_for, get_run_for
from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.api.serializers import RootQuery, RunChoiceQuery
from experiments.http.envelope import command_response
from experiments.http.streaming import array_pieces, json_stream
from runicorn.errors import RunNotFound

#: An artifact has some 250 bytes as JSON; a piece of the answer has at most 256 KiB.
ARTIFACTS_A_SLICE = 800


class ArtifactList(APIView):
    """All artifacts as one array, the newest change first."""

    @describe(
        "listArtifacts",
        "All artifacts",
        tag="Artifacts",
        query=ArtifactListQuery,
        answer=schemas.ArtifactListItem(many=True),
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> HttpResponseBase:
        values = ArtifactListQuery.parse(request.query_params)
        root = checked_root_for(request.user, values.get("root"))
        search = ArtifactSearch(values.get("type"), values.get("search"), root, values["include_deleted"])
        place = {"offset": values["offset"], "limit": values.get("limit")}
        return json_stream(array_pieces(artifact_list(search, **place, slice_size=ARTIFACTS_A_SLICE)))


class ArtifactStats(APIView):
    """Counts and sizes of all versions, those in the recycle bin included, and the space that they take on the disk."""

    @describe(
        "getArtifactStats",
        "How much the artifacts are",
        tag="Artifacts",
        query=RootQuery,
        answer=schemas.ArtifactStats,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        root = checked_root_for(request.user, RootQuery.parse(request.query_params).get("root"))
        return Response(artifact_figures(root=root).to_dict())


class VersionList(APIView):
    """Every version, ascending; deleted ones have the status ``deleted``."""

    @describe(
        "listVersions",
        "Versions of an artifact",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=schemas.VersionListItem(many=True),
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(version_list(chosen_artifact(request, name)))


class VersionDetails(APIView):
    """One version: what it is, and its end; into the recycle bin, or with ``permanent`` for good."""

    @describe(
        "getVersion",
        "One version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=schemas.VersionDetails,
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str, version: int) -> Response:
        return Response(version_item(chosen_version(request, name, version)))

    @describe(
        "deleteVersion",
        "Delete a version",
        tag="Artifacts",
        query=RemovalQuery,
        answer=Command(schemas.VersionDeleted),
        errors=NOT_THE_ONE,
    )
    def delete(self, request: Request, name: str, version: int) -> Response:
        values = RemovalQuery.parse(request.query_params)
        is_permanent = values.pop("permanent")
        found = get_version_for(request.user, name, version, **values)
        if not is_permanent:
            delete_version(found, at=time.time())
            return command_response({"success": True}, message=f"Soft deleted {name}:v{version} locally")
        freed = asdict(purge_version(found, at=time.time()))
        message = f"Permanently deleted {name}:v{version} locally"
        return command_response({"success": True, **freed}, message=message)


class VersionLineage(APIView):
    """The versions and runs that a version comes from, and those that came of it."""

    @describe(
        "getLineage",
        "Lineage of a version",
        tag="Artifacts",
        query=LineageQuery,
        answer=schemas.Lineage,
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str, version: int) -> Response:
        values = LineageQuery.parse(request.query_params)
        max_depth = min(values.pop("max_depth"), MAX_DEPTH)
        found = get_version_for(request.user, name, version, **values)
        return Response(lineage_item(lineage_of(found, max_depth=max_depth)))


class RunArtifacts(APIView):
    """What the run recorded; of a version that is gone, its own record speaks."""

    @describe(
        "getRunArtifacts",
        "Artifacts of a run",
        tag="Artifacts",
        query=RunChoiceQuery,
        answer=schemas.RunArtifacts,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> Response:
        try:
            run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        except RunNotFound as error:
            raise RunNotFound(f"Run not found: {run_id}") from error  # the reference's words
        return Response(run_artifacts(run))
