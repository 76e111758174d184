"""One real server for all tests of artifacts over HTTP: each test stores artifacts of its own and asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api_description import check
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("artifacts-api")) as server:
        yield server


@pytest.fixture
def api(server: ViewerServer) -> Iterator[httpx.Client]:
    """A client that holds each answer to the API's description."""
    with httpx.Client(base_url=server.url, timeout=30, event_hooks={"response": [check]}) as client:
        yield client


def read_all(address: str) -> tuple[bytes, bool]:
    """What an answer brings, and whether that is all: False if the connection was cut before."""
    got = bytearray()
    try:
        with httpx.stream("GET", address) as answer:
            for piece in answer.iter_raw():
                got += piece
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return bytes(got), False
    return bytes(got), True
