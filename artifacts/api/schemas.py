"""Artifacts, as they are answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import integer_or_null, number_or_null, run_status, text_or_null, texts
from runicorn.artifacts.curation import STAGE_MOVES
from runicorn.storage.layout import ARTIFACT_TYPES

STAGES = tuple(STAGE_MOVES)


def versions_by_alias() -> serializers.DictField:
    return serializers.DictField(child=serializers.IntegerField(), help_text="Version by alias.")


class ArtifactListItem(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.ChoiceField(ARTIFACT_TYPES)
    num_versions = serializers.IntegerField(help_text="Those that are not deleted.")
    latest_version = integer_or_null()
    size_bytes = serializers.IntegerField(help_text="Of the latest version.")
    created_at = serializers.FloatField(help_text="Unix seconds.")
    updated_at = serializers.FloatField(help_text="Newest change of its versions or aliases.")
    aliases = versions_by_alias()
    root = serializers.CharField(help_text="Key of the storage root.")  # type: ignore[assignment]  # the stubs' property


class VersionListItem(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    created_at = serializers.FloatField(help_text="Unix seconds.")
    created_by_run = serializers.CharField(allow_blank=True, help_text="Run id; empty if the version does not say.")
    size_bytes = serializers.IntegerField()
    num_files = serializers.IntegerField()
    status = serializers.CharField(help_text="ready, deleted, corrupted, or what another program wrote.")
    aliases = texts()


class VersionDetails(VersionListItem):
    name = serializers.CharField()
    type = serializers.ChoiceField(ARTIFACT_TYPES)
    updated_at = serializers.FloatField()
    created_by_user = text_or_null()
    num_references = serializers.IntegerField()
    metadata = serializers.DictField(help_text="As the script gave it.")
    description = serializers.CharField(allow_blank=True)
    tags = texts()
    manifest_digest = text_or_null()
    lifecycle_stage = serializers.ChoiceField(STAGES)
    deleted_at = number_or_null()
    root = serializers.CharField(help_text="Key of the storage root.")  # type: ignore[assignment]  # the stubs' property
    also_in = texts()


class StoredFile(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="In the version, with forward slashes.")
    size = serializers.IntegerField()
    digest = serializers.CharField(help_text="sha256: and 64 hex digits.")
    modified_at = serializers.FloatField()
    absolute_path = text_or_null()
    is_remote = serializers.BooleanField()


class Reference(serializers.Serializer[Any]):
    uri = serializers.CharField()
    checksum = text_or_null()
    size = integer_or_null()
    metadata = serializers.DictField()


class VersionFiles(serializers.Serializer[Any]):
    artifact = serializers.CharField(help_text="name:vN")
    files = serializers.ListField(child=StoredFile())
    references = serializers.ListField(child=Reference())
    total_size = serializers.IntegerField(help_text="References included where their size is known.")
    total_files = serializers.IntegerField()
    total_references = serializers.IntegerField()
    is_remote = serializers.BooleanField()


class RunArtifact(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = text_or_null()
    version = integer_or_null()
    size_bytes = integer_or_null()
    created_at = number_or_null()
    description = serializers.CharField(allow_blank=True)
    aliases = texts()
    lifecycle_stage = text_or_null()


class RunArtifacts(serializers.Serializer[Any]):
    created = serializers.ListField(child=RunArtifact())
    used = serializers.ListField(child=RunArtifact())


class LineageNode(serializers.Serializer[Any]):
    node_type = serializers.ChoiceField(["artifact", "run"])
    node_id = serializers.CharField(help_text="name:vN, or a run id.")
    label = serializers.CharField()  # type: ignore[assignment]  # the stubs' property
    metadata = serializers.DictField(
        help_text="Of a version type, size, created_at; of a run run_id, project, name; missing, deleted where true."
    )


class LineageEdge(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]  # the stubs' property
    target = serializers.CharField()
    edge_type = serializers.ChoiceField(["uses", "produces"], help_text="uses: version to run; produces: run to it.")
    created_at = number_or_null()


class Lineage(serializers.Serializer[Any]):
    root_artifact = serializers.CharField(help_text="The node_id of the version that was asked for.")
    nodes = serializers.ListField(child=LineageNode())
    edges = serializers.ListField(child=LineageEdge())


class Succeeded(serializers.Serializer[Any]):
    success = serializers.BooleanField()


class VersionDeleted(Succeeded):
    freed_bytes = serializers.IntegerField(required=False, help_text="With permanent: given back at once.")
    waiting_bytes = serializers.IntegerField(required=False, help_text="Given back by a gc once a day old.")
    shared_bytes = serializers.IntegerField(required=False, help_text="Kept, for other versions hold them as well.")


class AliasSet(serializers.Serializer[Any]):
    alias = serializers.CharField()
    version = serializers.IntegerField()


class VersionTagged(serializers.Serializer[Any]):
    tags = texts()


class Promoted(serializers.Serializer[Any]):
    artifact = serializers.CharField(help_text="name:vN")
    from_stage = serializers.ChoiceField(STAGES)
    to_stage = serializers.ChoiceField(STAGES)


class Evaluated(serializers.Serializer[Any]):
    eval_id = serializers.CharField()


class EvaluationItem(serializers.Serializer[Any]):
    id = serializers.CharField()
    model_name = serializers.CharField()
    model_version = serializers.IntegerField()
    evaluation_date = serializers.FloatField(help_text="Unix seconds.")
    evaluator_run_id = text_or_null()
    metrics = serializers.DictField()
    test_dataset = text_or_null()
    status = text_or_null()
    notes = text_or_null()


class TrainingMetrics(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    run_name = text_or_null()
    project = text_or_null()
    metrics = serializers.DictField(help_text="The run's summary.")
    created_at = serializers.FloatField(help_text="When the run began, Unix seconds.")
    duration_seconds = number_or_null()
    status = run_status()


class VersionPerformance(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    created_at = serializers.FloatField(help_text="When the run began, Unix seconds.")
    run_id = serializers.CharField()
    status = run_status()
    metrics = serializers.DictField(help_text="Numbers of the run's summary.")


class TypeFigures(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    versions = serializers.IntegerField()
    size_bytes = serializers.IntegerField()


class ArtifactStats(serializers.Serializer[Any]):
    total_artifacts = serializers.IntegerField()
    total_versions = serializers.IntegerField()
    total_size_bytes = serializers.IntegerField(help_text="Of all files of all versions.")
    total_files = serializers.IntegerField()
    dedup_enabled = serializers.BooleanField()
    dedup_pool_size_bytes = serializers.IntegerField(help_text="On the disk, as du counts; documents included.")
    space_saved_bytes = serializers.IntegerField()
    dedup_ratio = serializers.FloatField(help_text="The share of all bytes that is saved, 0 to 1.")
    by_type = serializers.DictField(child=TypeFigures())
