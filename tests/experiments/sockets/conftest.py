from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server import ViewerServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("sockets")) as server:
        yield server
