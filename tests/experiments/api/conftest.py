"""One real server for all API tests: each test writes runs of its own and asks for them over TCP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api_description import check
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture
def api(server: ViewerServer) -> Iterator[httpx.Client]:
    """A client that holds each answer to the API's description."""
    with httpx.Client(base_url=server.url, timeout=30, event_hooks={"response": [check]}) as client:
        yield client
