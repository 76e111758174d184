"""Addresses of the API that belong to remote machines."""

from __future__ import annotations

from django.urls import path

from sync.api import views

urlpatterns = [
    path("config/ssh_connections", views.SavedConnections.as_view(), name="ssh_connections"),
    path("config/ssh_connections/<str:key>", views.SavedConnection.as_view(), name="ssh_connection"),
    path("config/ssh_connections/<str:key>/details", views.ConnectionDetails.as_view(), name="ssh_connection_details"),
]
