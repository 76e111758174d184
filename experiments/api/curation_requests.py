"""What requests of section E may say. A value that is refused becomes a 400 with one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from experiments.api.serializers import MAX_OFFSET, MAX_RUNS_AT_ONCE, AnyCaseBoolean, CommaList, QuerySerializer
from experiments.queries.curated_runs import CuratedRunSearch
from runicorn.errors import InvalidInput
from runicorn.storage.curation import Edit


@dataclass(frozen=True)
class RunEdit:
    """Which run is to be changed, and how. root and path: which of several directories with that id."""

    run_id: str
    root: str | None
    path: str | None
    edit: Edit


class RunEditBody(serializers.Serializer[Any]):
    run_id = serializers.CharField(trim_whitespace=False)
    tags = serializers.ListField(child=serializers.CharField(allow_blank=True), required=False)
    append = serializers.BooleanField(default=True, help_text="false: these tags replace all others.")
    description = serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text="Empty clears it.")
    pinned = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)
    root = serializers.CharField(required=False)
    path = serializers.CharField(required=False)


def parse_run_edit(body: Any) -> RunEdit:
    """Raises InvalidInput or ValidationError."""
    if not isinstance(body, Mapping) or not body.get("run_id"):
        raise InvalidInput("run_id is required")  # the reference's words
    serializer = RunEditBody(data=body)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    tags = values.get("tags")
    edit = Edit(
        add_tags=tags or () if values["append"] else (),
        set_tags=None if values["append"] else tags,
        description=(values["description"] or "") if "description" in values else None,
        pinned=values.get("pinned"),
        archived=values.get("archived"),
    )
    return RunEdit(values["run_id"], values.get("root"), values.get("path"), edit)


class CuratedRunQuery(QuerySerializer):
    project = serializers.CharField(required=False, trim_whitespace=False)
    tags = CommaList(required=False)
    text = serializers.CharField(required=False)
    archived = AnyCaseBoolean(required=False)
    root = serializers.CharField(required=False)
    limit = serializers.IntegerField(required=False, min_value=0, max_value=MAX_OFFSET)
    offset = serializers.IntegerField(required=False, min_value=0, max_value=MAX_OFFSET)

    @staticmethod
    def search_of(query: Mapping[str, str]) -> CuratedRunSearch:
        return CuratedRunSearch(**CuratedRunQuery.parse(query))


class RemovalBody(serializers.Serializer[Any]):
    run_ids = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=MAX_RUNS_AT_ONCE)
    force = serializers.BooleanField(default=False, help_text="true: pinned runs too.")


def parse_removal(body: Any) -> tuple[list[str], bool]:
    """The ids and ``force``. Raises InvalidInput, in the reference's words where it has some."""
    run_ids = body.get("run_ids") if isinstance(body, Mapping) else None
    if not isinstance(run_ids, list) or not run_ids:
        raise InvalidInput("run_ids are required")
    if len(run_ids) > MAX_RUNS_AT_ONCE:
        raise InvalidInput(f"Cannot delete more than {MAX_RUNS_AT_ONCE} runs at once")
    for run_id in run_ids:
        if not isinstance(run_id, str):
            raise InvalidInput(f"Invalid run_id format: {run_id}")
    force = body.get("force", False)
    if not isinstance(force, bool):  # what cannot be undone takes no guess
        raise InvalidInput("force must be true or false")
    return run_ids, force
