"""Addresses of the API that belong to artifacts."""

from __future__ import annotations

from django.urls import path

from artifacts.api.views import artifacts, files

urlpatterns = [
    path("runs/<str:run_id>/artifacts", artifacts.RunArtifacts.as_view(), name="run_artifacts"),
    path("artifacts", artifacts.ArtifactList.as_view(), name="artifacts"),
    path("artifacts/<str:name>/versions", artifacts.VersionList.as_view(), name="versions"),
    path("artifacts/<str:name>/v<int:version>", artifacts.VersionDetails.as_view(), name="version"),
    path("artifacts/<str:name>/v<int:version>/files", files.VersionFiles.as_view(), name="version_files"),
    path("artifacts/<str:name>/v<int:version>/files/<path:path>", files.VersionFile.as_view(), name="version_file"),
    path("artifacts/<str:name>/v<int:version>/download", files.VersionArchive.as_view(), name="version_archive"),
    path("artifacts/<str:name>/v<int:version>/lineage", artifacts.VersionLineage.as_view(), name="lineage"),
]
