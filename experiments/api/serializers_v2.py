"""What the requests of the V2 API may say, but for the search of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from experiments.api.serializers import DOWNSAMPLE_MAX, RootQuery, StepRange
from experiments.metrics.reduce import MIN_POINTS
from experiments.queries.many_series import EVERY_POINT, SeriesQuestion
from runicorn.errors import InvalidInput

MAX_RUNS_IN_A_QUERY = 200
MAX_NAMES_IN_A_QUERY = 1000
MAX_EXPERIMENTS_AT_ONCE = 1000
USER_BATCH_DELETE = "user_batch_delete"
MAX_DAYS = 36_500


class MetricsQueryBody(serializers.Serializer[Any]):
    run_ids = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), min_length=1, max_length=MAX_RUNS_IN_A_QUERY
    )
    metric_names = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False),
        required=False,
        allow_null=True,
        max_length=MAX_NAMES_IN_A_QUERY,
    )
    downsample = serializers.IntegerField(
        required=False, allow_null=True, min_value=MIN_POINTS, max_value=DOWNSAMPLE_MAX
    )
    step_range = StepRange(required=False, allow_null=True)

    @classmethod
    def parse(cls, body: Any) -> tuple[list[str], SeriesQuestion]:
        """The run ids, and what is asked of each. Raises ValidationError."""
        serializer = cls(data=body)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        return values["run_ids"], SeriesQuestion(
            names=values.get("metric_names"),
            max_points=values.get("downsample") or EVERY_POINT,
            steps=values.get("step_range") or (None, None),
        )


class DaysQuery(RootQuery):
    days = serializers.IntegerField(default=30, min_value=1, max_value=MAX_DAYS)


class TrendQuery(DaysQuery):
    metric_name = serializers.CharField(trim_whitespace=False)
    project = serializers.CharField(required=False, trim_whitespace=False)


class ExperimentIds(serializers.Serializer[Any]):
    exp_ids = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=MAX_EXPERIMENTS_AT_ONCE)
    reason = serializers.CharField(default=USER_BATCH_DELETE, allow_blank=True)


def parse_batch_delete(body: Any) -> tuple[list[str], str]:
    """The ids and the reason. Raises InvalidInput in the reference's words."""
    ids = body.get("exp_ids") if isinstance(body, Mapping) else None
    if not isinstance(ids, list) or not ids or not all(isinstance(exp_id, str) for exp_id in ids):
        raise InvalidInput("exp_ids is required")
    if len(ids) > MAX_EXPERIMENTS_AT_ONCE:
        raise InvalidInput(f"Cannot delete more than {MAX_EXPERIMENTS_AT_ONCE} experiments at once")
    reason = body.get("reason", USER_BATCH_DELETE)
    if not isinstance(reason, str):
        raise InvalidInput("reason must be a string")
    return ids, reason
