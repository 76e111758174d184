"""What a run recorded in files of its own: its environment and images."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import integer_or_null, number_or_null, text_or_null


class RunEnvironment(serializers.Serializer[Any]):
    available = serializers.BooleanField()
    environment = serializers.DictField(required=False, help_text="As the run's environment.json has it.")


class Image(serializers.Serializer[Any]):
    key = serializers.CharField()
    path = serializers.CharField(help_text="Relative to the run directory.")
    step = integer_or_null()
    caption = text_or_null()
    ts = number_or_null()
    url = text_or_null()


class RunImages(serializers.Serializer[Any]):
    images = serializers.ListField(child=Image())
