"""Who is at the other end: the socket's peer, or whom a trusted proxy names."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from django.test import RequestFactory

from experiments.http.clients import TrustedProxies, client_address

TRUSTED = [ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


async def seen(peer: str, *, kind: str = "http", trusted: list[Any] = TRUSTED, **headers: str | list[str]) -> Any:
    """The scope that arrives behind TrustedProxies."""
    lines = [
        (name.replace("_", "-").encode(), line.encode())
        for name, value in headers.items()
        for line in ([value] if isinstance(value, str) else value)
    ]
    arrived = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        arrived.append(scope)

    scope = {"type": kind, "client": (peer, 4711), "scheme": "ws" if kind == "websocket" else "http", "headers": lines}
    await TrustedProxies(application, trusted)(scope, None, None)
    return arrived[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("127.0.0.1", "198.51.100.1, nonsense, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1:5000", "198.51.100.1"),
        ("127.0.0.1", "[2001:db8::1]:5000", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "198.51.100.1", "198.51.100.1"),
    ],
)
async def test_only_a_trusted_proxy_is_believed_and_only_its_own_entry(peer, forwarded, client):
    assert client_address(await seen(peer, x_forwarded_for=forwarded)) == client


async def test_without_trusted_proxies_the_headers_mean_nothing():
    scope = await seen("127.0.0.1", trusted=[], x_forwarded_for="198.51.100.1", x_forwarded_proto="https")

    assert (client_address(scope), scope["scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("peer", "kind", "protocol", "scheme"),
    [
        ("127.0.0.1", "http", "https", "https"),
        ("127.0.0.1", "websocket", "https", "wss"),
        ("127.0.0.1", "http", "http, https", "https"),
        ("127.0.0.1", "http", "https, http", "http"),
        ("127.0.0.1", "http", "gopher", "http"),
        ("192.0.2.7", "http", "https", "http"),
    ],
)
async def test_the_protocol_is_what_the_nearest_trusted_proxy_says(peer, kind, protocol, scheme):
    assert (await seen(peer, kind=kind, x_forwarded_proto=protocol))["scheme"] == scheme


def test_a_request_and_a_scope_without_a_peer_have_a_blank_address():
    assert client_address({"type": "http", "client": None, "headers": []}) == ""
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")) == "192.0.2.7"
