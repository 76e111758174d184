"""Addresses of the WebSockets."""

from __future__ import annotations

from django.urls import path

from experiments.consumers import LiveConsumer, RunLogConsumer
from experiments.page_sockets import PageLogConsumer

websocket_urlpatterns = [
    path("api/runs/<str:run_id>/logs/ws", RunLogConsumer.as_asgi()),
    path("live/runs/<str:run_id>/logs/ws", PageLogConsumer.as_asgi()),
    path("live/ws", LiveConsumer.as_asgi()),
]
