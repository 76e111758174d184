from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.experiments.access.people import make_account
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="session")
def local_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Bound to loopback: nobody logs in."""
    with running_server(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Told that others reach it, with the account ``ana``."""
    with running_server(tmp_path_factory.mktemp("lab"), RUNICORN_HOST="0.0.0.0") as server:
        make_account(server, "ana")
        yield server


@pytest.fixture
def local(local_server: ViewerServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local_server.url, timeout=30) as client:
        yield client


@pytest.fixture
def lab(lab_server: ViewerServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lab_server.url, timeout=30) as client:
        yield client
