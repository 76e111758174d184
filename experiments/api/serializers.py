"""What the API's requests may say. A value that is refused becomes a 400 with one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import Described
from experiments.models import Run
from experiments.queries.run_search import ORDERINGS, RunSearch
from experiments.queries.runs import RunListFilters
from runicorn.errors import InvalidInput

MAX_RUNS_AT_ONCE = 100
MAX_PER_PAGE = 1000
DOWNSAMPLE_MIN, DOWNSAMPLE_MAX = 2, 50_000
#: What SQLite's and PostgreSQL's LIMIT and OFFSET take.
MAX_OFFSET = 2**31 - 1


class CommaList(Described):
    """``a, b,,c`` → ["a", "b", "c"]."""

    json_schema = {"type": "string"}

    def to_internal_value(self, data: str) -> list[str]:
        return [item.strip() for item in str(data).split(",") if item.strip()]


class StatusList(CommaList):
    json_schema = {"type": "string", "description": f"Comma list of {', '.join(Run.Status.values)}."}

    def to_internal_value(self, data: str) -> list[str]:
        statuses = super().to_internal_value(data)
        for status in statuses:
            if status not in Run.Status.values:
                raise serializers.ValidationError(f"'{status}' is none of {', '.join(Run.Status.values)}.")
        return statuses


class AnyCaseBoolean(serializers.BooleanField):
    """true, false, 1, 0, yes, no in any case."""

    def to_internal_value(self, data: Any) -> bool:
        value = super().to_internal_value(str(data).strip().lower())
        return bool(value)


class FiniteFloat(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if value != value or value in (float("inf"), float("-inf")):
            self.fail("invalid")
        return value


class QuerySerializer(serializers.Serializer[Any]):
    """A request's query string. An empty value means that the parameter was not given."""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """The values that were given, converted. Raises ValidationError."""
        serializer = cls(data={name: value for name, value in query.items() if value != ""})
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


class RunChoiceQuery(QuerySerializer):
    """Which of several run directories with one id is meant."""

    root = serializers.CharField(required=False)
    path = serializers.CharField(required=False)


class RootQuery(QuerySerializer):
    root = serializers.CharField(required=False)


class RunListQuery(QuerySerializer):
    project = serializers.CharField(required=False, trim_whitespace=False)
    name = serializers.CharField(required=False, trim_whitespace=False)
    status = StatusList(required=False)
    root = serializers.CharField(required=False)
    limit = serializers.IntegerField(required=False, min_value=0, max_value=MAX_OFFSET)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)

    @staticmethod
    def filters(values: Mapping[str, Any]) -> RunListFilters:
        return RunListFilters(
            project=values.get("project"),
            name=values.get("name"),
            statuses=values.get("status"),
            root=values.get("root"),
        )


class RunSearchQuery(QuerySerializer):
    """``GET /api/v2/experiments``; its fields are those of RunSearch."""

    project = serializers.CharField(required=False, trim_whitespace=False)
    name = serializers.CharField(required=False, trim_whitespace=False)
    status = StatusList(required=False, source="statuses")
    tags = CommaList(required=False)
    search = serializers.CharField(required=False, source="text")
    created_after = FiniteFloat(required=False)
    created_before = FiniteFloat(required=False)
    best_metric_min = FiniteFloat(required=False)
    best_metric_max = FiniteFloat(required=False)
    filter = serializers.CharField(
        required=False,
        trim_whitespace=False,  # places in messages count from its beginning
        help_text="An expression of the query language, its moments in UTC: docs/filters.md.",
    )
    include_deleted = AnyCaseBoolean(required=False)
    root = serializers.CharField(required=False)
    order_by = serializers.ChoiceField(list(ORDERINGS), required=False)
    order_desc = AnyCaseBoolean(required=False, source="descending")
    page = serializers.IntegerField(required=False, min_value=1, max_value=MAX_OFFSET // MAX_PER_PAGE)
    per_page = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PER_PAGE)

    @staticmethod
    def search_of(query: Mapping[str, str]) -> RunSearch:
        return RunSearch(**RunSearchQuery.parse(query))


class DownsampleQuery(RunChoiceQuery):
    downsample = serializers.IntegerField(required=False, min_value=DOWNSAMPLE_MIN, max_value=DOWNSAMPLE_MAX)


class StepRange(Described):
    """``10:20``, ``10:``, ``:20``; inclusive."""

    json_schema = {
        "type": "string",
        "description": "min:max, both included; either side may be empty.",
        "examples": ["10:20"],
    }

    def to_internal_value(self, data: str) -> tuple[int | None, int | None]:
        first, colon, last = str(data).partition(":")
        try:
            if not colon:
                raise ValueError(data)
            return (int(first) if first.strip() else None, int(last) if last.strip() else None)
        except ValueError as error:
            raise InvalidInput("Invalid step_range format, use 'min:max'") from error  # the reference's words


class FastMetricsQuery(DownsampleQuery):
    metric_names = CommaList(required=False)
    step_range = StepRange(required=False)


def parse_run_ids(body: Any, *, verb: str) -> list[str]:
    """The ids in a batch command's body. verb: the message's word. Raises InvalidInput in the reference's words."""
    run_ids = body.get("run_ids") if isinstance(body, Mapping) else None
    if not isinstance(run_ids, list) or not run_ids:
        raise InvalidInput("run_ids is required and must be a list")
    if len(run_ids) > MAX_RUNS_AT_ONCE:
        raise InvalidInput(f"Cannot {verb} more than {MAX_RUNS_AT_ONCE} runs at once")
    for run_id in run_ids:
        if not isinstance(run_id, str):
            raise InvalidInput(f"Invalid run_id format: {run_id}")
    return run_ids


def check_confirmation(body: Any) -> None:
    """Raises InvalidInput unless the body says ``{"confirm": true}`` with the JSON boolean."""
    if not isinstance(body, Mapping) or body.get("confirm") is not True:
        raise InvalidInput("Must set confirm=true to permanently delete")
