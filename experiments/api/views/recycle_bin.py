"""The recycle bin."""

from __future__ import annotations

import time

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import checked_root_for
from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.api.schemas.runs import Confirmation, DeletedRuns, Purged, Restored, RunIds
from experiments.api.serializers import RootQuery, check_confirmation, parse_run_ids
from experiments.api.views.runs import batch_results
from experiments.http.envelope import command_response
from experiments.queries.recycle_bin import deleted_runs, recycle_bin_items
from experiments.services.recycle_bin import purge_runs, restore_runs


class RecycleBin(APIView):
    @describe(
        "listDeletedRuns", "The recycle bin", tag="Recycle bin", query=RootQuery, answer=DeletedRuns, errors=NOT_FOUND
    )
    def get(self, request: Request) -> Response:
        root = checked_root_for(request.user, RootQuery.parse(request.query_params).get("root"))
        return Response({"deleted_runs": recycle_bin_items(root=root)})


class Restore(APIView):
    @describe("restoreRuns", "Restore runs", tag="Recycle bin", body=RunIds, answer=Command(Restored))
    def post(self, request: Request) -> Response:
        outcomes = restore_runs(parse_run_ids(request.data, verb="restore"), at=time.time())
        count = sum(outcome is None for outcome in outcomes.values())
        fields = {"restored_count": count, "results": batch_results(outcomes)}
        return command_response(fields, message=f"Restored {count} of {len(outcomes)} runs")


class Empty(APIView):
    """Remove every deleted run for ever. ``results`` names only those that could not be removed, by path."""

    @describe("emptyRecycleBin", "Empty the recycle bin", tag="Recycle bin", body=Confirmation, answer=Command(Purged))
    def post(self, request: Request) -> Response:
        check_confirmation(request.data)
        outcomes = purge_runs(deleted_runs(root=None), at=time.time())
        failed = {run.path: error for run, error in outcomes.items() if error is not None}
        count = len(outcomes) - len(failed)
        fields = {"permanently_deleted": count, "results": batch_results(failed)}
        return command_response(fields, message=f"Permanently deleted {count} runs")
