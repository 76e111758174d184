"""V2: one run in detail, series of many runs, and deleting many."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy.typing as npt
import orjson
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import get_run_for, get_runs_by_id_for
from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.api.schemas import experiments as schemas
from experiments.api.serializers import RunChoiceQuery
from experiments.api.serializers_v2 import ExperimentIds, MetricsQueryBody, parse_batch_delete
from experiments.http.envelope import command_response
from experiments.http.streaming import array_pieces, joined, json_stream
from experiments.models import Run
from experiments.queries.experiment_details import experiment_details
from experiments.queries.many_series import series_of_runs
from experiments.queries.metrics import ChartSeries
from experiments.query_times import query_time_ms
from experiments.services.recycle_bin import soft_delete_known_runs
from runicorn.errors import RunNotFound

#: A float has up to 24 characters.
NUMBERS_A_PIECE = 10_000


class ExperimentDetails(APIView):
    @describe(
        "getExperiment",
        "One run, with figures of its metrics and files",
        tag="V2",
        query=RunChoiceQuery,
        answer=schemas.ExperimentDetails,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> Response:
        started = time.perf_counter()
        try:
            run = get_run_for(request.user, run_id, **RunChoiceQuery.parse(request.query_params))
        except RunNotFound as error:
            raise RunNotFound(f"Experiment {run_id} not found") from error  # V2's words
        details = experiment_details(run)
        query_time_ms(started)
        return Response(details)


class MetricsQuery(APIView):
    """Series of many runs, each of at most ``downsample`` finite points: per bucket first, lowest, highest, last."""

    @describe(
        "queryMetrics",
        "Series of many runs",
        tag="V2",
        body=MetricsQueryBody,
        answer=schemas.SeriesOfRuns,
        errors=NOT_FOUND,
    )
    def post(self, request: Request) -> HttpResponseBase:
        run_ids, question = MetricsQueryBody.parse(request.data)
        return json_stream(joined(_pieces(series_of_runs(get_runs_by_id_for(request.user, run_ids), question))))


def _pieces(found: Iterable[tuple[Run, ChartSeries]]) -> Iterator[bytes]:
    yield b'{"series":['
    comma = b""
    for run, series in found:
        head = {
            "run_id": run.run_id,
            "metric": series.name,
            "total_points": series.total_points,
            "non_finite_count": series.non_finite_count,
        }
        yield comma + orjson.dumps(head)[:-1] + b',"steps":'
        yield from array_pieces(_slices(series.steps))
        yield b',"values":'
        yield from array_pieces(_slices(series.values))
        yield b"}"
        comma = b","
    yield b"]}"


def _slices(numbers: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return (numbers[first : first + NUMBERS_A_PIECE] for first in range(0, len(numbers), NUMBERS_A_PIECE))


class BatchDelete(APIView):
    """Put up to 1,000 runs into the recycle bin; an id that no run has is a failure among the results."""

    @describe(
        "batchDelete",
        "Delete many runs",
        tag="V2",
        body=ExperimentIds,
        answer=Command(schemas.BatchDeleted),
    )
    def post(self, request: Request) -> Response:
        run_ids, reason = parse_batch_delete(request.data)
        outcomes = soft_delete_known_runs(run_ids, reason=reason, at=time.time())
        results = {run_id: outcome is None for run_id, outcome in outcomes.items()}
        count = sum(results.values())
        fields = {"deleted": count, "failed": len(results) - count, "deleted_count": count, "results": results}
        return command_response(fields, message=f"Soft deleted {count} of {len(results)} runs")
