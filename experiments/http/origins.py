"""Which host names we answer to, and whether a request comes from a page of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def is_foreign(*, origin: str | None, fetch_site: str | None, host: str) -> bool:
    """Whether a browser sent this request for a page that is not ours.

    origin, fetch_site: the headers Origin and Sec-Fetch-Site, None where absent: programs send neither.
    host: the Host header. The scheme is not compared, since a proxy in front of us may speak TLS.
    """
    if fetch_site == "cross-site":
        return True
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
        port = str(parts.port) if parts.port else _DEFAULT_PORTS.get(parts.scheme, "")
    except ValueError:
        return True
    domain, host_port = split_domain_port(host)
    own = domain, host_port or _DEFAULT_PORTS.get(parts.scheme, "")
    name = parts.hostname or ""
    return (f"[{name}]" if ":" in name else name, port) != own


class KnownHostsOnly:
    """ASGI: refuse WebSocket handshakes to a Host we do not have (DNS rebinding), as Django does for HTTP."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        domain = split_domain_port(hosts[0])[0] if len(hosts) == 1 else ""
        if domain and validate_host(domain, settings.ALLOWED_HOSTS):
            await self._application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})
