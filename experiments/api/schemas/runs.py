"""Runs, and the recycle bin."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import integer_or_null, number_or_null, run_status, text_or_null, texts
from experiments.api.serializers import MAX_RUNS_AT_ONCE


class RunListItem(serializers.Serializer[Any]):
    id = serializers.CharField()
    run_dir = serializers.CharField(help_text="Absolute path.")
    created_time = serializers.FloatField(help_text="Unix seconds.")
    status = run_status()
    pid = integer_or_null()
    best_metric_value = number_or_null()
    best_metric_name = text_or_null()
    project = text_or_null()
    name = text_or_null()
    artifacts_created_count = serializers.IntegerField()
    artifacts_used_count = serializers.IntegerField()
    ended_at = number_or_null()
    tags = texts()
    root = serializers.CharField(help_text="Key of the storage root.")


class RunPlace(serializers.Serializer[Any]):
    root = serializers.CharField()
    path = serializers.CharField(help_text="Relative to the root.")


class RunDetails(RunListItem):
    logs = serializers.CharField(help_text="Path of logs.txt.")
    metrics = serializers.CharField(help_text="Path of events.jsonl.")
    metrics_step = serializers.CharField(help_text="Path of events.jsonl.")
    created_at = serializers.FloatField(help_text="The same as created_time.")
    started_at = number_or_null()
    exit_reason = text_or_null()
    best_metric_step = integer_or_null()
    best_metric_mode = text_or_null()
    summary = serializers.DictField()
    hostname = text_or_null()
    path = serializers.CharField(help_text="Relative to the root.")
    also_in = serializers.ListField(child=RunPlace(), help_text="Other folders with the same run id.")


class RunProgress(serializers.Serializer[Any]):
    available = serializers.BooleanField()
    status = run_status()


class RunSearchItem(serializers.Serializer[Any]):
    id = serializers.CharField()
    project = text_or_null()
    name = text_or_null()
    status = run_status()
    created_at = serializers.FloatField(help_text="Unix seconds.")
    created_time = serializers.FloatField(help_text="The same as created_at.")
    started_at = number_or_null()
    ended_at = number_or_null()
    updated_at = serializers.FloatField()
    deleted_at = number_or_null()
    duration_seconds = number_or_null()
    best_metric_name = text_or_null()
    best_metric_value = number_or_null()
    best_metric_step = integer_or_null()
    best_metric_mode = text_or_null()
    pid = integer_or_null()
    hostname = text_or_null()
    tags = texts()
    run_dir = serializers.CharField(help_text="Absolute path.")
    logs = serializers.CharField(help_text="Path of logs.txt.")
    metrics = serializers.CharField(help_text="Path of events.jsonl.")
    metrics_step = serializers.CharField(help_text="Path of events.jsonl.")
    root = serializers.CharField(help_text="Key of the storage root.")


class RunSearchPage(serializers.Serializer[Any]):
    experiments = serializers.ListField(child=RunSearchItem())
    total = serializers.IntegerField(help_text="Matches on all pages.")
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    has_next = serializers.BooleanField()
    has_prev = serializers.BooleanField()
    query_time_ms = serializers.FloatField()


class RunIds(serializers.Serializer[Any]):
    run_ids = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=MAX_RUNS_AT_ONCE)


class BatchResult(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    error = serializers.CharField(required=False, help_text="Only where success is false.")


class SoftDeleted(serializers.Serializer[Any]):
    deleted_count = serializers.IntegerField()
    results = serializers.DictField(child=BatchResult(), help_text="By run id.")


class DeletedRun(serializers.Serializer[Any]):
    id = serializers.CharField()
    project = text_or_null()
    name = text_or_null()
    created_time = serializers.FloatField()
    deleted_at = serializers.FloatField()
    delete_reason = serializers.CharField()
    original_status = serializers.CharField(help_text="What the run was; unknown if its marker cannot be read.")
    run_dir = serializers.CharField()
    root = serializers.CharField()


class DeletedRuns(serializers.Serializer[Any]):
    deleted_runs = serializers.ListField(child=DeletedRun())


class Restored(serializers.Serializer[Any]):
    restored_count = serializers.IntegerField()
    results = serializers.DictField(child=BatchResult(), help_text="By run id.")


class Confirmation(serializers.Serializer[Any]):
    confirm = serializers.BooleanField(help_text="Must be true.")


class Purged(serializers.Serializer[Any]):
    permanently_deleted = serializers.IntegerField()
    results = serializers.DictField(child=BatchResult(), help_text="What could not be removed, by path.")
