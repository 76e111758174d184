"""Addresses of the pages of artifacts. Programs use /api."""

from django.urls import path

from artifacts import views

urlpatterns = [
    path("artifacts", views.artifact_list, name="artifact_list"),
    path("artifacts/<str:name>", views.artifact, name="artifact"),
    path("artifacts/<str:name>/v<int:number>", views.artifact_version, name="artifact_version"),
    path("artifacts/<str:name>/v<int:number>/metadata", views.artifact_metadata, name="artifact_metadata"),
    path("artifacts/<str:name>/v<int:number>/compare", views.artifact_compare, name="artifact_compare"),
    path("artifacts/<str:name>/v<int:number>/lineage", views.artifact_lineage, name="artifact_lineage"),
]
