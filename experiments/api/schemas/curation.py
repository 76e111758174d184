"""What people record about runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import text_or_null, texts


class Tagged(serializers.Serializer[Any]):
    success = serializers.BooleanField()


class CuratedRun(serializers.Serializer[Any]):
    id = serializers.CharField()
    project = text_or_null()
    name = text_or_null()
    tags = texts()
    description = text_or_null()
    created_at = serializers.FloatField(help_text="Unix seconds.")
    updated_at = serializers.FloatField(help_text="Newest change of any file of the run.")
    archived = serializers.BooleanField()
    pinned = serializers.BooleanField()
    root = serializers.CharField(help_text="Key of the storage root.")


class CuratedRuns(serializers.Serializer[Any]):
    experiments = serializers.ListField(child=CuratedRun())


class Removed(serializers.Serializer[Any]):
    results = serializers.DictField(child=serializers.BooleanField(), help_text="By run id.")
    errors = serializers.DictField(child=serializers.CharField(), help_text="Why a result is false, by run id.")
