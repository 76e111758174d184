"""V2: figures over many runs."""

from __future__ import annotations

import time

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import checked_root_for
from experiments.api.describe import NOT_FOUND, describe
from experiments.api.schemas import analytics as schemas
from experiments.api.serializers import RootQuery
from experiments.api.serializers_v2 import DaysQuery, TrendQuery
from experiments.queries import analytics
from experiments.query_times import query_time_ms


class Summary(APIView):
    @describe(
        "getAnalyticsSummary",
        "Counts of all runs",
        tag="V2",
        query=RootQuery,
        answer=schemas.AnalyticsSummary,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        root = checked_root_for(request.user, RootQuery.parse(request.query_params).get("root"))
        return Response(analytics.summary(root=root, at=time.time()))


class Overview(APIView):
    @describe(
        "getAnalyticsOverview",
        "Counts of all runs, and how the index does",
        tag="V2",
        query=RootQuery,
        answer=schemas.AnalyticsOverview,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        root = checked_root_for(request.user, RootQuery.parse(request.query_params).get("root"))
        return Response(analytics.overview(root=root, at=time.time()))


class ProjectFigures(APIView):
    """By project, of the runs that began in the last ``days``."""

    @describe(
        "getProjectFigures",
        "Recent runs by project",
        tag="V2",
        query=DaysQuery,
        answer=schemas.AnalyticsProjects,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        values = DaysQuery.parse(request.query_params)
        root = checked_root_for(request.user, values.get("root"))
        return Response(analytics.project_figures(days=values["days"], root=root, at=time.time()))


class PerformanceTrends(APIView):
    """One metric over the runs of the last ``days``, oldest first."""

    @describe(
        "getPerformanceTrends",
        "One metric over recent runs",
        tag="V2",
        query=TrendQuery,
        answer=schemas.PerformanceTrends,
        errors=NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        started = time.perf_counter()
        values = TrendQuery.parse(request.query_params)
        root = checked_root_for(request.user, values.get("root"))
        trend = analytics.metric_trend(
            values["metric_name"], project=values.get("project"), days=values["days"], root=root, at=time.time()
        )
        query_time_ms(started)
        return Response(trend)


class IndexHealth(APIView):
    """100 points, less for a slow query and for a large database."""

    @describe(
        "getIndexHealth",
        "How the index does",
        tag="V2",
        answer=schemas.IndexHealth,
    )
    def get(self, request: Request) -> Response:
        return Response(analytics.health(at=time.time()))
