"""The body of a command's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response


def command_response(fields: Mapping[str, Any], *, message: str) -> Response:
    """Answer a request that changed or started something.

    The documented fields stand at the top, as the per-endpoint documents have them, and again under ``data``, as the
    quick reference has them. ``ok`` is true for every 2xx answer, also when some items of a batch failed.
    """
    return Response({"ok": True, "message": message, **fields, "data": dict(fields)})
