"""Addresses of the API that belong to artifacts."""

from __future__ import annotations

from django.urls import path

from artifacts.api.views import artifacts, curation, files, performance

urlpatterns = [
    path("runs/<str:run_id>/artifacts", artifacts.RunArtifacts.as_view(), name="run_artifacts"),
    path("artifacts", artifacts.ArtifactList.as_view(), name="artifacts"),
    path("artifacts/stats", artifacts.ArtifactStats.as_view(), name="artifact_stats"),
    path("artifacts/<str:name>/versions", artifacts.VersionList.as_view(), name="versions"),
    path("artifacts/<str:name>/v<int:version>", artifacts.VersionDetails.as_view(), name="version"),
    path("artifacts/<str:name>/v<int:version>/files", files.VersionFiles.as_view(), name="version_files"),
    path("artifacts/<str:name>/v<int:version>/files/<path:path>", files.VersionFile.as_view(), name="version_file"),
    path("artifacts/<str:name>/v<int:version>/download", files.VersionArchive.as_view(), name="version_archive"),
    path("artifacts/<str:name>/v<int:version>/lineage", artifacts.VersionLineage.as_view(), name="lineage"),
    path("artifacts/<str:name>/v<int:version>/restore", curation.VersionRestore.as_view(), name="version_restore"),
    path("artifacts/<str:name>/v<int:version>/alias", curation.VersionAlias.as_view(), name="version_alias"),
    path("artifacts/<str:name>/v<int:version>/tags", curation.VersionTags.as_view(), name="version_tags"),
    path("artifacts/<str:name>/v<int:version>/promote", curation.VersionPromotion.as_view(), name="promotion"),
    path("artifacts/<str:name>/v<int:version>/evaluate", performance.VersionEvaluation.as_view(), name="evaluation"),
    path("artifacts/<str:name>/aliases/<str:alias>", curation.ArtifactAlias.as_view(), name="artifact_alias"),
    path("artifacts/<str:name>/evaluations", performance.EvaluationList.as_view(), name="evaluations"),
    path("artifacts/<str:name>/training-metrics", performance.TrainingMetrics.as_view(), name="training_metrics"),
    path(
        "artifacts/<str:name>/performance-history",
        performance.PerformanceHistory.as_view(),
        name="performance_history",
    ),
]
