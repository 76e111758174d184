"""The web process ends in good order although clients hold answers and sockets that they do not read."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from runicorn.cli.supervisor import STOP_S
from tests.command_line import RunningCommand, running, running_viewer, still_running, wait_until
from tests.experiments.streaming.readers import (
    MIB,
    asked,
    at_rest,
    connected,
    opened_socket,
    read_to_end,
    read_until,
    send_text,
)
from tests.run_directories import write_run

RUN = "20250302_101500_00stop"
DOWNLOAD_BYTES = 200 * MIB
LINES = [f"line {number:09d} {'x' * 1000}\n" for number in range(20_000)]


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run with a long table, a large file and a log, in the folder ``root``."""
    records = [{"global_step": step, **{f"metric_{n}": step * 0.1 for n in range(20)}} for step in range(20_000)]
    run_dir = write_run(tmp_path / "root", f"stop/stuck/runs/{RUN}", status={"status": "running"}, records=records)
    (run_dir / "logs.txt").write_text("first\n")
    (run_dir / "media").mkdir()
    with (run_dir / "media" / "big.bin").open("wb") as file:
        file.truncate(DOWNLOAD_BYTES)
    return run_dir


@contextmanager
def stuck_clients(web: RunningCommand, run_dir: Path) -> Iterator[Callable[[], list[str]]]:
    """Fifty clients: downloads, tables, sockets of logs and of pages, halves of requests. All have begun.

    Gives what tells, once the server has ended, the addresses of which somebody got all there was: nobody was stuck.
    """
    whole = {
        f"/api/runs/{RUN}/media/big.bin": DOWNLOAD_BYTES,
        f"/api/runs/{RUN}/metrics": len(web.get_bytes(f"/api/runs/{RUN}/metrics")),
        f"/api/runs/{RUN}/logs/ws": sum(map(len, LINES)),
    }
    download, table, log = whole
    stuck: list[tuple[str, socket.socket]] = []
    with ExitStack() as stack:
        for _ in range(10):
            stuck += [(address, stack.enter_context(asked(web, address))) for address in (download, table)]
        for _, client in stuck:
            assert client.recv(8) == b"HTTP/1.1"
        for _ in range(5):
            sockets = [(log, stack.enter_context(opened_socket(web, log))) for _ in range(2)]
            for _, client in sockets:
                read_until(client, b"first")
            stuck += sockets
            send_text(stack.enter_context(opened_socket(web, "/live/ws")), '{"subscribe": "*"}')
            half = "Host: localhost\r\nContent-Length: 100\r\n\r\n{"
            stack.enter_context(connected(web)).sendall(f"POST /api/runs/soft-delete HTTP/1.1\r\n{half}".encode())
            stack.enter_context(connected(web)).sendall(b"GET /api/he")
        with (run_dir / "logs.txt").open("a") as file:
            file.writelines(LINES)
        at_rest(web_pid(web))
        yield lambda: [address for address, client in stuck if len(read_to_end(client)) >= whole[address]]


def web_pid(command: RunningCommand) -> int:
    """Of the web process: a viewer's child, or the command itself."""
    child = command.children().get("serve")
    return command.process.pid if child is None else child.pid


def is_there(web: RunningCommand) -> bool:
    return httpx.get(f"{web.url}/api/runs/{RUN}/metrics?downsample=2").status_code == 200


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_viewer_ends_at_once_with_clients_that_take_nothing(tmp_path, run_dir, number, code):
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        wait_until(lambda: is_there(viewer), viewer.describe)
        processes = viewer.descendants()
        with stuck_clients(viewer, run_dir) as got_everything:
            exit_code, seconds = viewer.stop(number)

            assert got_everything() == []
        # after STOP_S the supervisor kills what is left, and the end was not in good order
        assert (exit_code, seconds < STOP_S) == (code, True), (seconds, viewer.describe())
        assert still_running(processes) == []
        assert len(viewer.lines) == 2, viewer.describe()


def test_a_web_process_on_its_own_ends_at_once_and_closes_its_connections(tmp_path, run_dir):
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:  # indexes
        wait_until(lambda: is_there(viewer), viewer.describe)
        viewer.stop(signal.SIGTERM)
    with running("serve", "--port", "0", "--storage", "root", folder=tmp_path) as web:
        web.wait_for("Storage root: ")
        with stuck_clients(web, run_dir) as got_everything:
            code, seconds = web.stop(signal.SIGTERM)

            assert got_everything() == []
        assert (code, seconds < STOP_S) == (0, True), (seconds, web.describe())
        assert "Traceback" not in web.output
