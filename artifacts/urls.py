"""Addresses of the pages of artifacts. Programs use /api."""

from django.urls import path

from artifacts import views

urlpatterns = [
    path("artifacts", views.artifact_list, name="artifact_list"),
]
