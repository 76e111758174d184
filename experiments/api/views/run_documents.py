"""What a run recorded in files of its own."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import get_run_for
from experiments.api.describe import NOT_FOUND, describe
from experiments.api.schemas import run_documents as schemas
from experiments.api.serializers import RunChoiceQuery
from experiments.queries.run_documents import environment_of


class RunEnvironment(APIView):
    @describe(
        "getRunEnvironment",
        "Where a run ran",
        tag="Runs",
        query=RunChoiceQuery,
        answer=schemas.RunEnvironment,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        environment = environment_of(run)
        found = {} if environment is None else {"environment": environment}
        return Response({"available": environment is not None, **found})
