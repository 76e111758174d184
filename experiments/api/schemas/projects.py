"""Projects and their experiments."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import texts


class ProjectFigures(serializers.Serializer[Any]):
    name = serializers.CharField()
    experiment_count = serializers.IntegerField(help_text="Runs outside the recycle bin.")
    latest_update = serializers.FloatField(help_text="Unix seconds.")


class Projects(serializers.Serializer[Any]):
    projects = texts()
    details = serializers.ListField(child=ProjectFigures())


class ExperimentNames(serializers.Serializer[Any]):
    names = texts()
