"""Values that several answers hold."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.models import Run


class Described(serializers.Field[Any, Any, Any, Any]):
    """A value that none of DRF's fields means. json_schema: how the description writes it."""

    json_schema: dict[str, Any]


class MetricValue(Described):
    json_schema = {"type": ["number", "string", "boolean", "null"]}


def text_or_null() -> serializers.CharField:
    return serializers.CharField(allow_null=True)


def number_or_null() -> serializers.FloatField:
    return serializers.FloatField(allow_null=True)


def integer_or_null() -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True)


def run_status() -> serializers.ChoiceField:
    return serializers.ChoiceField(Run.Status.values)


def texts() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField())
