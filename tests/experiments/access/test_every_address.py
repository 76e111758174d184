"""Where others can reach the viewer, every address and every socket is closed to strangers but for a short list."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from experiments.routing import websocket_urlpatterns
from tests.experiments.access.people import FOREIGN, bearer, make_token, session_cookie
from tests.server import ViewerServer

#: What a stranger may ask for, and what answers then.
OPEN = {"/login": 200, "/set-up/x": 403, "/i18n/setlang/": 302, "/jsi18n/": 200, "/api/health": 200}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """An address for every pattern, its parameters filled in."""
    for entry in resolver.url_patterns:
        route = before + re.sub(r"^\^|\$$", "", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        else:
            assert isinstance(entry, URLPattern)
            yield "/" + re.sub(r"<(?:int:)[^>]+>", "1", re.sub(r"<(?:str:|path:)?[^>:]+>", "x", _plain(route)))


def _plain(route: str) -> str:
    """A regular expression's named groups and escapes as text that it matches."""
    return re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).replace("\\Z", "").replace("\\", "").replace("$", "")


ADDRESSES = sorted(set(addresses(get_resolver())))


def test_the_walk_finds_what_there_is():
    assert {"/runs", "/runs/x/logs", "/api/runs", "/admin/", "/docs", "/openapi.json", "/settings"} <= {*ADDRESSES}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_stranger_is_told_to_log_in(lab: httpx.Client, address: str):
    statuses = {method: lab.request(method, address, follow_redirects=False) for method in METHODS}

    for method, answer in statuses.items():
        if address in OPEN:
            continue
        if method == "OPTIONS" and address.startswith("/api"):
            assert (answer.status_code, answer.content) == (204, b"")  # a browser's preflight, which says nothing
        elif address.startswith("/api"):
            assert answer.status_code == 401, method
        else:
            # a form without the page's token is refused before anybody asks who sent it
            assert answer.status_code in (302, 403), method
            assert answer.status_code == 403 or answer.headers["Location"].startswith("/login?"), method
    assert address not in OPEN or statuses["GET"].status_code == OPEN[address]


@pytest.mark.parametrize("address", ["/runs", "/api/runs", "/docs", "/openapi.json", "/admin/", "/settings"])
def test_who_is_known_comes_in(lab: httpx.Client, lab_server: ViewerServer, address: str):
    assert lab.get(address, headers=session_cookie(lab_server, "ana")).status_code == 200
    token = make_token(lab_server, owner="ana", name=f"for {address}")
    assert lab.get(address, headers=bearer(token)).status_code == 200


def test_a_token_of_the_local_account_does_not_count_where_people_log_in(lab: httpx.Client, lab_server: ViewerServer):
    token = make_token(lab_server, owner=None, name="made on loopback")

    assert lab.get("/api/runs", headers=bearer(token)).status_code == 401


def test_a_change_with_a_session_needs_the_pages_own_token(lab: httpx.Client, lab_server: ViewerServer):
    session = session_cookie(lab_server, "ana")
    csrf = "a" * 32
    with_token = {"Cookie": f"{session['Cookie']}; runicorn_csrf={csrf}", "X-CSRFToken": csrf}

    assert lab.post("/api/status/check", headers=session).status_code == 403
    assert lab.post("/api/status/check", headers=with_token | {"Origin": FOREIGN}).status_code == 403
    assert lab.post("/api/status/check", headers=with_token).status_code == 200


ROUTES = [str(pattern.pattern) for pattern in websocket_urlpatterns]
#: All but the last, which answers what has no address.
SOCKETS = ["/" + route.replace("<str:run_id>", "x") for route in ROUTES if route]


@pytest.mark.parametrize("path", SOCKETS)
def test_a_strangers_socket_is_refused_and_a_known_ones_opens(lab_server: ViewerServer, path: str):
    url = lab_server.ws_url + path

    with pytest.raises(InvalidStatus, match="403"):
        connect(url)
    with pytest.raises(InvalidStatus, match="403"):  # the cookie of a page of ours, sent for a page of another origin
        connect(url, origin=FOREIGN, additional_headers=session_cookie(lab_server, "ana"))
    with connect(url, additional_headers=session_cookie(lab_server, "ana")):
        pass
    with connect(url, additional_headers=bearer(make_token(lab_server, owner="ana", name=f"for {path}"))):
        pass
