"""Runs: the list, one run, its progress."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import checked_root_for, get_run_for
from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.api.schemas import runs as schemas
from experiments.api.serializers import RunChoiceQuery, RunListQuery, RunSearchQuery, parse_run_ids
from experiments.http.envelope import command_response
from experiments.http.streaming import array_pieces, json_stream
from experiments.queries.run_search import search_runs
from experiments.queries.runs import RunListFilters, run_item, run_list
from experiments.query_times import query_time_ms
from experiments.services.recycle_bin import soft_delete_runs

#: A run has some 400 bytes as JSON; a piece of the answer has at most 256 KiB.
RUNS_A_SLICE = 600
USER_DELETED = "user_deleted"


class RunList(APIView):
    """All runs outside the recycle bin as one array, newest first."""

    @describe(
        "listRuns", "All runs", tag="Runs", query=RunListQuery, answer=schemas.RunListItem(many=True), errors=NOT_FOUND
    )
    def get(self, request: Request) -> HttpResponseBase:
        values = RunListQuery.parse(request.query_params)
        checked_root_for(request.user, values.get("root"))
        return run_list_response(RunListQuery.filters(values), offset=values["offset"], limit=values.get("limit"))


def run_list_response(filters: RunListFilters, *, offset: int = 0, limit: int | None = None) -> HttpResponseBase:
    """The runs as one array, sent in pieces."""
    return json_stream(array_pieces(run_list(filters, offset=offset, limit=limit, slice_size=RUNS_A_SLICE)))


class RunDetails(APIView):
    @describe("getRun", "One run", tag="Runs", query=RunChoiceQuery, answer=schemas.RunDetails, errors=NOT_FOUND)
    def get(self, request: Request, run_id: str) -> Response:
        return Response(run_item(get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))))


class RunProgress(APIView):
    """Deprecated: there never was a progress; the status is real."""

    @describe(
        "getRunProgress",
        "Progress of a run",
        tag="Runs",
        query=RunChoiceQuery,
        answer=schemas.RunProgress,
        errors=NOT_FOUND,
        deprecated=True,
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        return Response({"available": False, "status": run.status})


class SoftDelete(APIView):
    """Put runs into the recycle bin."""

    @describe(
        "softDeleteRuns", "Delete runs", tag="Recycle bin", body=schemas.RunIds, answer=Command(schemas.SoftDeleted)
    )
    def post(self, request: Request) -> Response:
        run_ids = parse_run_ids(request.data, verb="delete")
        outcomes = soft_delete_runs(run_ids, reason=USER_DELETED, at=time.time())
        count = sum(outcome is None for outcome in outcomes.values())
        fields = {"deleted_count": count, "results": batch_results(outcomes)}
        return command_response(fields, message=f"Soft deleted {count} of {len(outcomes)} runs")


def batch_results(outcomes: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    return {
        run_id: {"success": True} if error is None else {"success": False, "error": error}
        for run_id, error in outcomes.items()
    }


class RunSearchView(APIView):
    """``GET /api/v2/experiments``: filtered, sorted, a page at a time."""

    @describe(
        "searchRuns", "Runs, a page", tag="V2", query=RunSearchQuery, answer=schemas.RunSearchPage, errors=NOT_FOUND
    )
    def get(self, request: Request) -> Response:
        started = time.perf_counter()
        search = RunSearchQuery.search_of(request.query_params)
        checked_root_for(request.user, search.root)
        found = search_runs(search, now=time.time())
        return Response(
            {
                "experiments": found.items,
                "total": found.total,
                "page": search.page,
                "per_page": search.per_page,
                "has_next": search.page * search.per_page < found.total,
                "has_prev": search.page > 1,
                "query_time_ms": query_time_ms(started),
            }
        )
