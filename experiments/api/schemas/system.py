"""The server itself."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import number_or_null, text_or_null


class CacheFigures(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    hit_rate = serializers.CharField(help_text="Percent, as in 75.0%.")
    hits = serializers.IntegerField()
    misses = serializers.IntegerField()
    size = serializers.IntegerField()
    max_size = serializers.IntegerField()


class Health(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ok"])
    version = serializers.CharField()
    api_version = serializers.CharField()
    timestamp = serializers.FloatField()
    storage = serializers.CharField(help_text="The storage root.")
    cache = CacheFigures()


class StatusCheck(serializers.Serializer[Any]):
    checked = serializers.IntegerField()
    updated = serializers.IntegerField()


class Gpu(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    name = serializers.CharField()
    pstate = text_or_null()
    util_gpu = number_or_null()
    util_mem = number_or_null()
    mem_total_mib = number_or_null()
    mem_used_mib = number_or_null()
    mem_used_pct = number_or_null()
    temp_c = number_or_null()
    power_w = number_or_null()
    power_limit_w = number_or_null()
    clock_sm_mhz = number_or_null()
    clock_mem_mhz = number_or_null()
    fan_speed_pct = number_or_null()


class GpuTelemetry(serializers.Serializer[Any]):
    available = serializers.BooleanField()
    reason = serializers.CharField(required=False, help_text="Only where available is false.")
    ts = serializers.FloatField(required=False)
    gpus = serializers.ListField(child=Gpu(), required=False)
