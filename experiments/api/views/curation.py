"""Section E of the reference, "experiment management": what people record about runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import checked_root_for, get_run_for, name_of
from experiments.api.curation_requests import CuratedRunQuery, RemovalBody, RunEditBody, parse_removal, parse_run_edit
from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.api.schemas.curation import CuratedRuns, Removed, Tagged
from experiments.http.envelope import command_response
from experiments.http.streaming import array_pieces, json_stream
from experiments.queries.curated_runs import curated_runs
from experiments.services.curation import edit_run
from experiments.services.recycle_bin import remove_runs


class TagRun(APIView):
    """Change a run's tags, and if given its description and whether it is pinned or archived."""

    @describe(
        "tagRun",
        "Tag a run",
        tag="Curation",
        body=RunEditBody,
        answer=Command(Tagged),
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )
    def post(self, request: Request) -> Response:
        wanted = parse_run_edit(request.data)
        run = get_run_for(request.user, wanted.run_id, root=wanted.root, path=wanted.path)
        edit_run(run, wanted.edit, by=name_of(request.user), at=time.time())
        return command_response({"success": True}, message=f"Tagged {run.run_id}")


class SearchRuns(APIView):
    """Runs outside the recycle bin, the newest change first."""

    @describe(
        "searchCuratedRuns",
        "Runs by what people recorded",
        tag="Curation",
        query=CuratedRunQuery,
        answer=CuratedRuns,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> HttpResponseBase:
        search = CuratedRunQuery.search_of(request.query_params)
        checked_root_for(request.user, search.root)
        return json_stream(_experiments(curated_runs(search)))


class RemoveRuns(APIView):
    """Remove runs for ever. Pinned ones stay unless forced; ``errors`` says why a run's result is false."""

    @describe("removeRuns", "Remove runs for ever", tag="Curation", body=RemovalBody, answer=Command(Removed))
    def delete(self, request: Request) -> Response:
        run_ids, force = parse_removal(request.data)
        outcomes = remove_runs(run_ids, force=force, at=time.time())
        results = {run_id: error is None for run_id, error in outcomes.items()}
        errors = {run_id: error for run_id, error in outcomes.items() if error is not None}
        message = f"Permanently deleted {sum(results.values())} of {len(results)} runs"
        return command_response({"results": results, "errors": errors}, message=message)


def _experiments(slices: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    array = array_pieces(slices)
    yield b'{"experiments":' + next(array)
    yield from array
    yield b"}"
