"""Metric tables."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import Described, MetricValue, texts


class MetricTable(serializers.Serializer[Any]):
    columns = texts()
    rows = serializers.ListField(child=serializers.DictField(child=MetricValue()), help_text="Each has every column.")
    total_rows = serializers.IntegerField(required=False, help_text="Before reduction; only with downsample.")
    sampled = serializers.BooleanField(required=False, help_text="Whether rows were left out; only with downsample.")


class StepBounds(Described):
    json_schema = {
        "type": ["array", "null"],
        "items": {"type": ["integer", "null"]},
        "minItems": 2,
        "maxItems": 2,
        "description": "First and last step, both included.",
    }


class AppliedFilters(serializers.Serializer[Any]):
    metrics = serializers.ListField(child=serializers.CharField(), allow_null=True)
    step_range = StepBounds()
    downsampled = serializers.BooleanField(help_text="Whether rows were left out.")
    extremes_complete = serializers.BooleanField(
        required=False,
        help_text="Whether the rows hold each metric's lowest and highest value; only if rows were left out.",
    )


class FastMetricTable(serializers.Serializer[Any]):
    columns = texts()
    rows = serializers.ListField(child=serializers.DictField(child=MetricValue()), help_text="Each has every column.")
    query_time_ms = serializers.FloatField()
    total_points = serializers.IntegerField(help_text="Rows returned.")
    total_rows = serializers.IntegerField(help_text="Rows before reduction.")
    applied_filters = AppliedFilters()
