"""What requests about artifacts may say. A value that is refused becomes a 400 with one sentence."""

from __future__ import annotations

from rest_framework import serializers

from artifacts.queries.lineage import MAX_DEPTH
from experiments.api.serializers import MAX_OFFSET, AnyCaseBoolean, QuerySerializer


class ArtifactChoiceQuery(QuerySerializer):
    """Which of several artifacts with one name is meant."""

    type = serializers.CharField(required=False, help_text="model, dataset, config, code or custom.")
    root = serializers.CharField(required=False)  # type: ignore[assignment]  # the stubs' property


class ArtifactListQuery(ArtifactChoiceQuery):
    search = serializers.CharField(required=False, help_text="A part of a name, alias, tag or description.")
    include_deleted = AnyCaseBoolean(default=False, help_text="true: also those of which every version is deleted.")
    limit = serializers.IntegerField(required=False, min_value=0, max_value=MAX_OFFSET)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class LineageQuery(ArtifactChoiceQuery):
    max_depth = serializers.IntegerField(
        default=3, min_value=0, help_text=f"Generations of versions, in each direction; at most {MAX_DEPTH} are given."
    )
