"""Addresses of the WebSockets."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from experiments.consumers import LiveConsumer, RunLogConsumer
from experiments.page_sockets import PageLogConsumer


async def unknown_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuse the handshake. Without this, Channels raises for an address that it does not know, which is a 500."""
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("api/runs/<str:run_id>/logs/ws", RunLogConsumer.as_asgi()),
    path("live/runs/<str:run_id>/logs/ws", PageLogConsumer.as_asgi()),
    path("live/ws", LiveConsumer.as_asgi()),
    re_path(r"", unknown_socket),
]
