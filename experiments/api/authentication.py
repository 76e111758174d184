"""Tells DRF who asks. The middleware has found that out, and refused whom it had to, before any view is called."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request


class CallerOfRequest(BaseAuthentication):
    """``request.user`` and, as ``request.auth``, the API token."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        return request._request.user, request._request.api_token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="runicorn"'
