"""The time zone of whoever looks at a page."""

from __future__ import annotations

from datetime import timezone, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest

#: Written by the page's script.
ZONE_COOKIE = "runicorn_zone"


def zone_of(request: HttpRequest) -> tzinfo:
    """The browser's time zone, UTC if it did not say."""
    name = request.COOKIES.get(ZONE_COOKIE, "")
    try:
        return ZoneInfo(name) if name else timezone.utc
    except (KeyError, ValueError, OSError):  # no such zone, or no name of one
        return timezone.utc
