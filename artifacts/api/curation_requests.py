"""What requests that change artifacts may say. A value that is refused becomes a 400 with one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from artifacts.api.serializers import ArtifactChoiceQuery
from experiments.api.serializers import AnyCaseBoolean, FiniteFloat
from runicorn.artifacts.curation import StageMove, VersionEdit
from runicorn.artifacts.evaluations import STATUSES, Evaluation
from runicorn.errors import InvalidInput

NOTES_MAX_CHARS = 20_000
NAME_MAX_CHARS = 1000
#: An evaluation is read with all others of its artifact.
METRICS_MAX = 1000


class RemovalQuery(ArtifactChoiceQuery):
    permanent = AnyCaseBoolean(default=False, help_text="true: for good, with the content that no other version has.")


class VersionChoiceQuery(ArtifactChoiceQuery):
    version = serializers.IntegerField(required=False, min_value=1, help_text="The newest if it is not given.")


class EvaluationsQuery(ArtifactChoiceQuery):
    version = serializers.IntegerField(required=False, min_value=1, help_text="All of them if it is not given.")


class PerformanceQuery(ArtifactChoiceQuery):
    metric_name = serializers.CharField(required=False, trim_whitespace=False)


class AliasBody(serializers.Serializer[Any]):
    alias = serializers.CharField()


class TagsBody(serializers.Serializer[Any]):
    tags = serializers.ListField(child=serializers.CharField(allow_blank=True))
    append = serializers.BooleanField(default=False, help_text="true: beside those that are there.")
    description = serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text="Empty clears it.")


class PromotionBody(serializers.Serializer[Any]):
    to_stage = serializers.CharField()
    notes = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=NOTES_MAX_CHARS)
    evaluator_run_id = serializers.CharField(required=False, allow_null=True, max_length=NAME_MAX_CHARS)


class EvaluationBody(serializers.Serializer[Any]):
    metrics = serializers.DictField(child=FiniteFloat())
    status = serializers.ChoiceField(STATUSES)
    evaluator_run_id = serializers.CharField(required=False, allow_null=True, max_length=NAME_MAX_CHARS)
    test_dataset = serializers.CharField(required=False, allow_null=True, max_length=NAME_MAX_CHARS)
    notes = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=NOTES_MAX_CHARS)

    def validate_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        if len(metrics) > METRICS_MAX:
            raise serializers.ValidationError(f"At most {METRICS_MAX} metrics are kept.")
        return metrics


def parse_alias(body: Any) -> str:
    alias: str = _parse(AliasBody, body)["alias"]
    return alias


def parse_tags(body: Any) -> VersionEdit:
    values = _parse(TagsBody, body)
    tags = values["tags"]
    return VersionEdit(
        description=(values["description"] or "") if "description" in values else None,
        set_tags=None if values["append"] else tags,
        add_tags=tags if values["append"] else (),
    )


def parse_promotion(body: Any) -> StageMove:
    return StageMove(**_parse(PromotionBody, body))


def parse_evaluation(body: Any, *, at: float) -> Evaluation:
    """at: Unix seconds, when the evaluation is recorded; what the body says of that is ignored."""
    return Evaluation(evaluated_at=at, **_parse(EvaluationBody, body))


def _parse(serializer_class: type[serializers.Serializer[Any]], body: Any) -> dict[str, Any]:
    """Raises InvalidInput or ValidationError."""
    if not isinstance(body, Mapping):
        raise InvalidInput("The body must be a JSON object.")
    serializer = serializer_class(data=body)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
