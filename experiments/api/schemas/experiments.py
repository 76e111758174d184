"""V2: one run in detail, series of many runs, deleting many."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import texts
from experiments.api.schemas.runs import RunSearchItem


class StepLimits(serializers.Serializer[Any]):
    min = serializers.IntegerField()
    max = serializers.IntegerField()


class MetricsSummary(serializers.Serializer[Any]):
    total_data_points = serializers.IntegerField(help_text="Rows of metrics_step.")
    available_metrics = texts()
    step_range = StepLimits(allow_null=True)
    non_finite_counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="By metric: points that are NaN or infinite. Rows have them as null.",
    )


class ExperimentDetails(serializers.Serializer[Any]):
    experiment = RunSearchItem()
    metrics_summary = MetricsSummary()
    environment_available = serializers.BooleanField()
    file_count = serializers.IntegerField(help_text="Files of the run, folders not counted.")


class SeriesItem(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    metric = serializers.CharField()
    steps = serializers.ListField(child=serializers.IntegerField())
    values = serializers.ListField(child=serializers.FloatField(), help_text="One a step; only finite ones.")
    total_points = serializers.IntegerField(help_text="Before reduction, with those that are not finite.")
    non_finite_count = serializers.IntegerField(help_text="Points that are NaN or infinite; values leaves them out.")


class SeriesOfRuns(serializers.Serializer[Any]):
    series = serializers.ListField(child=SeriesItem(), help_text="By run, then by metric, as they were asked for.")


class BatchDeleted(serializers.Serializer[Any]):
    deleted = serializers.IntegerField()
    failed = serializers.IntegerField()
    deleted_count = serializers.IntegerField(help_text="The same as deleted.")
    results = serializers.DictField(child=serializers.BooleanField(), help_text="By run id.")
