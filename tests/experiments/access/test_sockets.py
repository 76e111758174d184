"""Sockets of people who may no longer see anything end; origins that are left out do not open any."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from experiments.accounts import sockets
from experiments.accounts.sockets import CLOSE_NOT_LOGGED_IN, SocketAccess
from runicorn.errors import NotLoggedIn
from tests.experiments.access.people import FOREIGN, bearer, make_token, session_cookie
from tests.server import ViewerServer, running_server


async def test_a_socket_ends_when_its_opener_may_no_longer_see_anything_even_after_an_error(monkeypatch):
    callers = iter(["ana", "ana", OperationalError("database is locked"), NotLoggedIn("revoked")])

    async def find(*_: object) -> str:
        caller = next(callers)
        if isinstance(caller, Exception):
            raise caller
        return caller

    monkeypatch.setattr(sockets, "in_request_thread", find)
    closed = asyncio.Event()
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["user"] == "ana"
        await closed.wait()

    async def send(message: Any) -> None:
        sent.append(message)
        closed.set()

    scope = {
        "type": "websocket",
        "path": "/live/ws",
        "headers": [(b"host", b"localhost"), (b"authorization", b"Bearer rcn_x")],
    }
    async with asyncio.timeout(10):
        await SocketAccess(application, recheck_s=0.01)(scope, None, send)

    assert sent == [{"type": "websocket.close", "code": CLOSE_NOT_LOGGED_IN}]


def test_a_token_that_does_not_count_opens_no_socket_even_where_nobody_logs_in(local_server: ViewerServer):
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"{local_server.ws_url}/live/ws", additional_headers=bearer("rcn_unknown"))


def test_any_origin_may_open_a_socket_that_only_reads(local_server: ViewerServer):
    with connect(f"{local_server.ws_url}/live/ws", origin=FOREIGN):
        pass


def test_an_allow_list_closes_all_other_origins(tmp_path):
    with running_server(tmp_path, RUNICORN_ALLOWED_ORIGINS="https://lab.example") as server:
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"{server.ws_url}/live/ws", origin=FOREIGN)
        with connect(f"{server.ws_url}/live/ws", origin="https://lab.example"):
            pass
        with connect(f"{server.ws_url}/live/ws"):  # a program
            pass


def test_a_tokens_owner_opens_a_socket_from_any_origin(lab_server: ViewerServer):
    token = make_token(lab_server, owner="ana", name="socket")

    with connect(f"{lab_server.ws_url}/live/ws", origin=FOREIGN, additional_headers=bearer(token)):
        pass


@pytest.mark.parametrize("odd", ['a={"x":1}', "a=b c", "naked", "a=ä"])
def test_an_odd_cookie_of_another_server_hides_no_session(lab_server: ViewerServer, odd: str):
    session = session_cookie(lab_server, "ana")["Cookie"]

    with connect(f"{lab_server.ws_url}/live/ws", additional_headers={"Cookie": f"{odd}; {session}"}):
        pass
