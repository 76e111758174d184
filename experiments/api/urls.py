"""Addresses of the API. No trailing slashes, and no redirects: one would turn a POST into a GET."""

from __future__ import annotations

from django.urls import path, re_path

from experiments.api.views import media, metrics, recycle_bin, runs, system

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
    path("recycle-bin", recycle_bin.RecycleBin.as_view(), name="recycle_bin"),
    path("recycle-bin/restore", recycle_bin.Restore.as_view(), name="restore"),
    path("recycle-bin/empty", recycle_bin.Empty.as_view(), name="empty_recycle_bin"),
    path("v2/experiments", runs.RunSearchView.as_view(), name="experiments"),
    path("v2/experiments/<str:run_id>/metrics/fast", metrics.MetricsFast.as_view(), name="metrics_fast"),
    re_path(r"^(?P<rest>.*)$", system.unknown_endpoint),
]
