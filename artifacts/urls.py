"""Addresses of the pages of artifacts. Programs use /api."""

from django.urls import path

from artifacts import curation_views, views

urlpatterns = [
    path("artifacts", views.artifact_list, name="artifact_list"),
    path("artifacts.offers", views.artifact_offers, name="artifact_offers"),
    path("artifacts/<str:name>", views.artifact, name="artifact"),
    path("artifacts/<str:name>/v<int:number>", views.artifact_version, name="artifact_version"),
    path("artifacts/<str:name>/v<int:number>/metadata", views.artifact_metadata, name="artifact_metadata"),
    path("artifacts/<str:name>/v<int:number>/compare", views.artifact_compare, name="artifact_compare"),
    path("artifacts/<str:name>/v<int:number>/lineage", views.artifact_lineage, name="artifact_lineage"),
    path("artifacts/<str:name>/v<int:number>/edit", curation_views.edit, name="version_edit"),
    path("artifacts/<str:name>/v<int:number>/stage", curation_views.move_stage, name="version_stage"),
    path("artifacts/<str:name>/v<int:number>/alias", curation_views.set_alias, name="version_alias"),
    path("artifacts/<str:name>/v<int:number>/alias/remove", curation_views.remove_alias, name="version_alias_remove"),
    path("artifacts/<str:name>/v<int:number>/delete", curation_views.delete, name="version_delete"),
    path("artifacts/<str:name>/v<int:number>/restore", curation_views.restore, name="version_restore"),
    path("artifacts/<str:name>/v<int:number>/purge", curation_views.purge, name="version_purge"),
    path("runs/<str:run_id>/artifacts", views.run_artifacts, name="run_artifacts"),
]
