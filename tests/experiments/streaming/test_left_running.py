"""What a server that is left running for months must not do: gather files, threads, tasks or memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from tests.experiments.streaming.readers import KIB, at_rest, resident, wait_until
from tests.run_directories import RUN_ID, write_run
from tests.server import ViewerServer, running_server

#: Clients at once before anything is counted: the threads and caches that they need stay.
CLIENTS = 8
REQUESTS, SOCKETS = 500, 200
#: What each of them may leave in memory: less than any object that was forgotten with what hangs on it.
LEFT_BYTES = 4 * KIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("left")) as server:
        run_dir = write_run(server.storage, records=[{"global_step": step, "loss": 1 / step} for step in range(1, 50)])
        (run_dir / "logs.txt").write_text("one line\n")
        server.scan()
        yield server


def ask(server: ViewerServer, count: int) -> None:
    addresses = ("/api/runs", f"/api/runs/{RUN_ID}", "/api/v2/experiments", f"/api/runs/{RUN_ID}/metrics_step", "/runs")
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for number in range(count):
            assert client.get(addresses[number % len(addresses)]).status_code == 200


def open_and_close(server: ViewerServer, count: int) -> None:
    for number in range(count):
        address = f"/api/runs/{RUN_ID}/logs/ws" if number % 2 else "/live/ws"
        with connect(server.ws_url + address) as client:
            if number % 2:
                assert client.recv(timeout=10) == "one line"


def use(server: ViewerServer, *, requests: int, sockets: int) -> None:
    ask(server, requests)
    open_and_close(server, sockets)


def test_requests_and_sockets_leave_nothing_behind(server: ViewerServer):
    process = psutil.Process(server.pid)
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda _: use(server, requests=25, sockets=5), range(CLIENTS)))
    at_rest(server.pid)
    files, threads, memory = process.num_fds(), process.num_threads(), resident(server)

    use(server, requests=REQUESTS, sockets=SOCKETS)

    wait_until(lambda: process.num_fds() <= files + 2, f"{process.num_fds()} descriptors are open, were {files}")
    assert process.num_threads() <= threads + 2
    assert resident(server) - memory < (REQUESTS + SOCKETS) * LEFT_BYTES
