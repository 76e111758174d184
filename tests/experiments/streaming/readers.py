"""Clients as they should not be: over raw sockets, so that nothing is read that a test does not read."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psutil

from tests.run_directories import write_run
from tests.server import ViewerServer

KIB, MIB = 1024, 1024 * 1024
#: Of its own, small: what the kernel holds for a stuck client is no news.
RECEIVE_BYTES = 16 * KIB
#: A web process that hardly works for so long has done all that it will. Its watches cost 1 % of a core.
REST_S = 0.4


def sparse_media(server: ViewerServer, run_id: str, size: int) -> str:
    """The address of a media file of so many bytes, which take no room on disk; the first and last differ from 0."""
    run_dir = write_run(server.storage, f"big/files/runs/{run_id}")
    (run_dir / "media").mkdir()
    with (run_dir / "media" / "big.bin").open("wb") as file:
        file.write(b"begin")
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    server.scan()
    return f"/api/runs/{run_id}/media/big.bin"


class Served(Protocol):
    """Any web process on loopback."""

    @property
    def port(self) -> int: ...


def connected(server: Served) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    client.settimeout(60)
    client.connect(("127.0.0.1", server.port))
    return client


@contextmanager
def asked(server: Served, address: str, *, method: str = "GET") -> Iterator[socket.socket]:
    """A client that has sent its request."""
    with connected(server) as client:
        client.sendall(f"{method} {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield client


@contextmanager
def posted(server: Served, address: str, body: bytes) -> Iterator[socket.socket]:
    """A client that has sent a request with a body of JSON."""
    with connected(server) as client:
        head = f"POST {address} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        yield client


@contextmanager
def opened_socket(server: Served, address: str) -> Iterator[socket.socket]:
    """A WebSocket whose handshake is through."""
    key = base64.b64encode(os.urandom(16)).decode()
    with connected(server) as client:
        client.sendall(
            f"GET {address} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        assert b" 101 " in head.splitlines()[0]
        yield client


def send_text(client: socket.socket, text: str) -> None:
    """A WebSocket frame of less than 126 bytes; its mask changes nothing."""
    payload = text.encode()
    client.sendall(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)


def read_until(client: socket.socket, text: bytes) -> bytes:
    """What arrives up to and with ``text``, and what happens to follow it at once."""
    received = b""
    while text not in received:
        chunk = client.recv(4096)
        assert chunk, received
        received += chunk
    return received


def read_to_end(client: socket.socket) -> bytes:
    """What arrives until the connection ends, in order or not."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while chunk := client.recv(1 << 16):
            received += chunk
    return bytes(received)


def resident(server: ViewerServer) -> int:
    """Bytes of memory of the web process."""
    return int(psutil.Process(server.pid).memory_info().rss)


def at_rest(pid: int, *, timeout_s: float = 60) -> int:
    """Wait until a web process does nothing more; the most memory, in bytes, that it had until then."""
    process, most, rested_since = psutil.Process(pid), 0, time.monotonic()
    deadline = rested_since + timeout_s
    worked_s = _worked_s(process)
    while time.monotonic() - rested_since < REST_S:
        assert time.monotonic() < deadline, "the web process does not come to rest"
        time.sleep(0.02)
        most = max(most, process.memory_info().rss)
        if _worked_s(process) - worked_s > REST_S / 10:
            rested_since, worked_s = time.monotonic(), _worked_s(process)
    return int(most)


def _worked_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def open_files(server: ViewerServer, name: str) -> int:
    """How often the web process has a file of that name open."""
    return sum(Path(file.path).name == name for file in psutil.Process(server.pid).open_files())


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
