"""Addresses of the API. No trailing slashes, and no redirects: one would turn a POST into a GET."""

from __future__ import annotations

from django.urls import path, re_path

from experiments.api.views import (
    analytics,
    configuration,
    curation,
    experiments,
    media,
    metrics,
    projects,
    recycle_bin,
    run_documents,
    runs,
    system,
)

urlpatterns = [
    path("health", system.Health.as_view(), name="health"),
    path("status/check", system.StatusCheckView.as_view(), name="status_check"),
    path("gpu/telemetry", system.GpuTelemetry.as_view(), name="gpu_telemetry"),
    path("runs", runs.RunList.as_view(), name="runs"),
    path("runs/soft-delete", runs.SoftDelete.as_view(), name="soft_delete"),
    path("runs/<str:run_id>", runs.RunDetails.as_view(), name="run"),
    path("runs/<str:run_id>/progress", runs.RunProgress.as_view(), name="progress"),
    path("runs/<str:run_id>/metrics_step", metrics.MetricsByStep.as_view(), name="metrics_step"),
    path("runs/<str:run_id>/metrics", metrics.MetricsByTime.as_view(), name="metrics"),
    path("runs/<str:run_id>/media", media.RunMedia.as_view(), name="media"),
    path("runs/<str:run_id>/media/<path:name>", media.RunMediaFile.as_view(), name="media_file"),
    path("projects", projects.ProjectList.as_view(), name="projects"),
    path("projects/<str:project>/names", projects.ExperimentNames.as_view(), name="experiment_names"),
    # runs of 0.7 have experiments with slashes in their names
    path("projects/<str:project>/names/<path:name>/runs", projects.ExperimentRuns.as_view(), name="experiment_runs"),
    path("environment/<str:run_id>", run_documents.RunEnvironment.as_view(), name="environment"),
    path("recycle-bin", recycle_bin.RecycleBin.as_view(), name="recycle_bin"),
    path("recycle-bin/restore", recycle_bin.Restore.as_view(), name="restore"),
    path("recycle-bin/empty", recycle_bin.Empty.as_view(), name="empty_recycle_bin"),
    path("experiments/tag", curation.TagRun.as_view(), name="tag_run"),
    path("experiments/search", curation.SearchRuns.as_view(), name="search_runs"),
    path("experiments/delete", curation.RemoveRuns.as_view(), name="remove_runs"),
    path("config", configuration.Configuration.as_view(), name="config"),
    path("config/user_root_dir", configuration.UserRoot.as_view(), name="user_root_dir"),
    path("config/column-widths", configuration.ColumnWidths.as_view(), name="column_widths"),
    path("v2/experiments", runs.RunSearchView.as_view(), name="experiments"),
    path("v2/experiments/batch-delete", experiments.BatchDelete.as_view(), name="batch_delete"),
    path("v2/experiments/<str:run_id>", experiments.ExperimentDetails.as_view(), name="experiment"),
    path("v2/experiments/<str:run_id>/metrics/fast", metrics.MetricsFast.as_view(), name="metrics_fast"),
    path("v2/metrics/query", experiments.MetricsQuery.as_view(), name="metrics_query"),
    path("v2/analytics/summary", analytics.Summary.as_view(), name="analytics_summary"),
    path("v2/analytics/overview", analytics.Overview.as_view(), name="analytics_overview"),
    path("v2/analytics/projects", analytics.ProjectFigures.as_view(), name="analytics_projects"),
    path("v2/analytics/performance-trends", analytics.PerformanceTrends.as_view(), name="performance_trends"),
    path("v2/analytics/health", analytics.IndexHealth.as_view(), name="analytics_health"),
    re_path(r"^(?P<rest>.*)$", system.unknown_endpoint),
]
