"""Who is at the other end of a connection: the socket's peer, or whom a trusted proxy in front of us names.

Everything that counts or writes down an address asks ``client_address`` and reads no header itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(source: HttpRequest | Mapping[str, Any]) -> str:
    """The IP address of the client of a request or of an ASGI scope, "" where the connection has none.

    It is the socket's peer unless ``TrustedProxies`` has put the address there that a trusted proxy named.
    """
    if isinstance(source, HttpRequest):
        return str(source.META.get("REMOTE_ADDR") or "")
    client = source.get("client")
    return str(client[0]) if client else ""


@lru_cache(maxsize=1024)
def is_loopback(address: str) -> bool:
    """Whether a client is on this machine; IPv4 in IPv6 is understood, and what is no address is not."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback


class TrustedProxies:
    """ASGI: where the peer is a trusted proxy, believe its X-Forwarded-For and X-Forwarded-Proto.

    The scope is rewritten once, here, so that nothing behind has to know of proxies. From any other peer the headers
    mean nothing: whoever connects could write them.
    """

    def __init__(self, application: Any, trusted: Sequence[Network]) -> None:
        self._application = application
        self._trusted = trusted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        peer = _parsed(client_address(scope)) if self._trusted and "headers" in scope else None
        if peer is not None and self._trusts(peer):
            scope = {**scope, **self._told_by_proxy(scope, peer)}
        await self._application(scope, receive, send)

    def _told_by_proxy(self, scope: Any, peer: IpAddress) -> dict[str, Any]:
        told: dict[str, Any] = {"client": (str(self._client(_values(scope, b"x-forwarded-for"), peer)), 0)}
        protocol = _values(scope, b"x-forwarded-proto")[-1:]
        if protocol in (["http"], ["https"]):
            secure = protocol == ["https"]
            names = ("wss", "ws") if scope["type"] == "websocket" else ("https", "http")
            told["scheme"] = names[0] if secure else names[1]
        return told

    def _client(self, forwarded: Sequence[str], peer: IpAddress) -> IpAddress:
        """The last address that no trusted proxy has; what stands before it the client may have invented."""
        client = peer
        for text in reversed(forwarded):
            named = _parsed(text)
            if named is None:
                break
            client = named
            if not self._trusts(named):
                break
        return client

    def _trusts(self, address: IpAddress) -> bool:
        return any(address in network for network in self._trusted)


def _values(scope: Any, name: bytes) -> list[str]:
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _parsed(text: str) -> IpAddress | None:
    """An address as proxies write it: alone, or with a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
