"""V2: figures over many runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.api.schemas.fields import number_or_null, text_or_null


def counts() -> serializers.DictField:
    return serializers.DictField(child=serializers.IntegerField())


class AnalyticsSummary(serializers.Serializer[Any]):
    total_experiments = serializers.IntegerField(help_text="Active and deleted ones.")
    active_experiments = serializers.IntegerField()
    deleted_experiments = serializers.IntegerField(help_text="In the recycle bin.")
    by_status = counts()
    by_project = counts()
    success_rate = serializers.FloatField(help_text="Finished runs among those that ended, 0 to 1.")
    avg_duration_seconds = serializers.FloatField(help_text="Of the runs that ended.")
    last_activity = number_or_null()
    generated_at = serializers.FloatField(help_text="Unix seconds.")


class QueryPerformance(serializers.Serializer[Any]):
    avg_query_time_ms = serializers.FloatField(help_text="Of the last V2 queries.")
    cache_hit_rate = serializers.FloatField(help_text="0 to 1.")


class OverviewFigures(serializers.Serializer[Any]):
    total_experiments = serializers.IntegerField()
    active_experiments = serializers.IntegerField()
    running_experiments = serializers.IntegerField()
    success_rate = serializers.FloatField()
    avg_experiment_duration = serializers.FloatField(help_text="Seconds.")
    storage_size_mb = serializers.FloatField(help_text="Of the index.")
    query_performance = QueryPerformance()


class StorageStatistics(QueryPerformance):
    total_experiments = serializers.IntegerField()
    active_experiments = serializers.IntegerField()
    deleted_experiments = serializers.IntegerField()
    total_metrics_points = serializers.IntegerField()
    storage_size_bytes = serializers.IntegerField()
    db_size_mb = serializers.FloatField()
    db_fragmentation_pct = serializers.FloatField(help_text="Unused pages, or dead rows, of the index.")
    updated_at = serializers.FloatField()


class StorageFigures(serializers.Serializer[Any]):
    storage_type = serializers.CharField()
    backend_type = serializers.CharField()
    statistics = StorageStatistics()
    performance = QueryPerformance()


class AnalyticsOverview(serializers.Serializer[Any]):
    overview = OverviewFigures()
    storage_info = StorageFigures()
    generated_at = serializers.FloatField()


class ProjectStatistics(serializers.Serializer[Any]):
    project = serializers.CharField()
    total = serializers.IntegerField()
    finished = serializers.IntegerField()
    failed = serializers.IntegerField()
    running = serializers.IntegerField()
    success_rate = serializers.FloatField()
    avg_best_metric = number_or_null()
    last_activity = serializers.FloatField()


class AnalyticsProjects(serializers.Serializer[Any]):
    projects = serializers.ListField(child=ProjectStatistics())
    analysis_period_days = serializers.IntegerField()
    generated_at = serializers.FloatField()


class TrendPoint(serializers.Serializer[Any]):
    id = serializers.CharField()
    created_at = serializers.FloatField()
    value = serializers.FloatField()


class TrendStatistics(serializers.Serializer[Any]):
    total_experiments = serializers.IntegerField()
    mean_value = number_or_null()
    std_dev = number_or_null()
    min_value = number_or_null()
    max_value = number_or_null()


class PerformanceTrends(serializers.Serializer[Any]):
    metric_name = serializers.CharField()
    project = text_or_null()
    trend_data = serializers.ListField(child=TrendPoint(), help_text="Oldest first.")
    statistics = TrendStatistics()
    analysis_period_days = serializers.IntegerField()
    generated_at = serializers.FloatField()


class HealthPerformance(QueryPerformance):
    test_query_time_ms = serializers.FloatField()


class HealthStorage(serializers.Serializer[Any]):
    backend_type = serializers.CharField()
    storage_type = serializers.CharField()
    db_size_mb = serializers.FloatField()
    total_experiments = serializers.IntegerField()


class IndexHealth(serializers.Serializer[Any]):
    health_status = serializers.ChoiceField(["excellent", "good", "fair", "poor"])
    health_score = serializers.FloatField(help_text="0 to 100.")
    issues = serializers.ListField(child=serializers.CharField())
    performance = HealthPerformance()
    storage = HealthStorage()
    checked_at = serializers.FloatField()
