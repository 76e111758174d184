"""Whether a request comes from a page of ours, and which other pages may read."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def is_foreign(*, origin: str | None, fetch_site: str | None, host: str) -> bool:
    """Whether a browser sent this request for a page that is not ours.

    origin, fetch_site: the headers Origin and Sec-Fetch-Site, None where absent: programs send neither.
    host: the Host header. The scheme is not compared, since a proxy in front of us may speak TLS.
    An origin that the settings name counts as ours.
    """
    if origin is not None and origin in (settings.RUNICORN_ALLOWED_ORIGINS or ()):
        return False
    if fetch_site == "cross-site":
        return True
    return origin is not None and not _is_own(origin, host)


def origin_may_read(origin: str | None, *, host: str) -> bool:
    """Whether the settings let this origin use the API and the sockets. Programs send none and are not asked."""
    allowed = settings.RUNICORN_ALLOWED_ORIGINS
    return allowed is None or origin is None or origin in allowed or _is_own(origin, host)


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        port = str(parts.port) if parts.port else _DEFAULT_PORTS.get(parts.scheme, "")
    except ValueError:
        return False
    domain, host_port = split_domain_port(host)
    own = domain, host_port or _DEFAULT_PORTS.get(parts.scheme, "")
    name = parts.hostname or ""
    return (f"[{name}]" if ":" in name else name, port) == own
