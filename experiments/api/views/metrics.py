"""Metric tables."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import get_run_for
from experiments.api.describe import NOT_FOUND, describe
from experiments.api.schemas.metrics import FastMetricTable, MetricTable
from experiments.api.serializers import DownsampleQuery, FastMetricsQuery
from experiments.http.streaming import json_stream, table_pieces
from experiments.metrics.rows import Rows
from experiments.queries.metrics import Table, metrics_by_step, metrics_by_time, metrics_fast
from experiments.query_times import query_time_ms
from runicorn.errors import RunNotFound


class MetricsByStep(APIView):
    """One row a step; records that share a step are merged."""

    @describe(
        "getMetricsByStep",
        "Metrics by step",
        tag="Metrics",
        query=DownsampleQuery,
        answer=MetricTable,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        values = DownsampleQuery.parse(request.query_params)
        downsample = values.pop("downsample", None)
        run = get_run_for(request.user, run_id, **values)
        return _table_response(metrics_by_step(run, downsample=downsample), is_downsampled=downsample is not None)


class MetricsByTime(APIView):
    """One row a record, in log order; ``time`` counts from the first."""

    @describe(
        "getMetricsByTime",
        "Metrics by time",
        tag="Metrics",
        query=DownsampleQuery,
        answer=MetricTable,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        values = DownsampleQuery.parse(request.query_params)
        downsample = values.pop("downsample", None)
        run = get_run_for(request.user, run_id, **values)
        return _table_response(metrics_by_time(run, downsample=downsample), is_downsampled=downsample is not None)


def _table_response(table: Table, *, is_downsampled: bool) -> HttpResponseBase:
    fields: dict[str, Any] = {"columns": table.columns}
    if is_downsampled:
        fields |= {"total_rows": table.total_rows, "sampled": table.sampled}
    return _with_rows(fields, table.rows)


def _with_rows(fields: dict[str, Any], rows: Rows) -> HttpResponseBase:
    if rows.is_short:
        return Response(fields | {"rows": list(rows)})
    return json_stream(table_pieces(fields, rows.slices()))


class MetricsFast(APIView):
    """Chosen metrics, a range of steps, reduced to at most so many whole rows that keep each metric's extremes."""

    @describe(
        "getMetricsFast",
        "Metrics, chosen and reduced",
        tag="V2",
        query=FastMetricsQuery,
        answer=FastMetricTable,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        started = time.perf_counter()
        values = FastMetricsQuery.parse(request.query_params)
        names, steps = values.pop("metric_names", None), values.pop("step_range", None)
        downsample = values.pop("downsample", None)
        try:
            run = get_run_for(request.user, run_id, **values)
        except RunNotFound as error:
            raise RunNotFound(f"Experiment {run_id} not found") from error  # V2's words
        table = metrics_fast(run, metric_names=names, step_range=steps, downsample=downsample)
        filters: dict[str, Any] = {"metrics": names, "step_range": steps, "downsampled": table.downsampled}
        if table.extremes_complete is not None:
            filters["extremes_complete"] = table.extremes_complete
        fields = {
            "columns": table.columns,
            "query_time_ms": query_time_ms(started),
            "total_points": len(table.rows),
            "total_rows": table.total_rows,
            "applied_filters": filters,
        }
        return _with_rows(fields, table.rows)
