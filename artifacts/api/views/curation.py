"""What people change of artifacts: aliases, tags, stages, the recycle bin."""

from __future__ import annotations

import time

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from artifacts.api import schemas
from artifacts.api.choice import NOT_THE_ONE, chosen_artifact, chosen_version
from artifacts.api.curation_requests import (
    AliasBody,
    PromotionBody,
    TagsBody,
    parse_alias,
    parse_promotion,
    parse_tags,
)
from artifacts.api.serializers import ArtifactChoiceQuery
from artifacts.services import curation as services
from experiments.api.describe import Command, describe
from experiments.http.envelope import command_response


class VersionRestore(APIView):
    """Take a version out of the recycle bin."""

    @describe(
        "restoreVersion",
        "Restore a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=Command(schemas.Succeeded),
        errors=NOT_THE_ONE,
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        services.restore_version(chosen_version(request, name, version), at=time.time())
        return command_response({"success": True}, message=f"Restored {name}:v{version}")


class VersionAlias(APIView):
    """Make an alias name this version, and no other."""

    @describe(
        "setAlias",
        "Set an alias",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        body=AliasBody,
        answer=Command(schemas.AliasSet),
        errors=NOT_THE_ONE,
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        alias = parse_alias(request.data)
        services.set_alias(chosen_version(request, name, version), alias, at=time.time())
        return command_response({"alias": alias, "version": version}, message=f"Alias {alias} set")


class ArtifactAlias(APIView):
    """Take an alias away; the version stays."""

    @describe(
        "removeAlias",
        "Remove an alias",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        answer=Command(schemas.AliasSet),
        errors=NOT_THE_ONE,
    )
    def delete(self, request: Request, name: str, alias: str) -> Response:
        version = services.remove_alias(chosen_artifact(request, name), alias, at=time.time())
        return command_response({"alias": alias, "version": version}, message=f"Alias {alias} removed")


class VersionTags(APIView):
    """Replace a version's tags, or add to them; if given, its description too."""

    @describe(
        "tagVersion",
        "Tag a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        body=TagsBody,
        answer=Command(schemas.VersionTagged),
        errors=NOT_THE_ONE,
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        edit = parse_tags(request.data)
        changed = services.edit_version(chosen_version(request, name, version), edit, at=time.time())
        return command_response({"tags": list(changed.tags)}, message="Tags updated")


class VersionPromotion(APIView):
    """Move a version to another lifecycle stage; the alias ``production`` follows."""

    @describe(
        "promoteVersion",
        "Promote a version",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        body=PromotionBody,
        answer=Command(schemas.Promoted),
        errors=NOT_THE_ONE,
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        move = parse_promotion(request.data)
        before = services.move_stage(chosen_version(request, name, version), move, at=time.time())
        fields = {"artifact": f"{name}:v{version}", "from_stage": before, "to_stage": move.to_stage}
        return command_response(fields, message=f"Successfully promoted to {move.to_stage}")
