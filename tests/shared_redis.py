"""The Redis of the tests, and a way to it that can be cut or made to hang."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis

from runicorn_site.environment import mark_of
from tests.components import redis_url


class RedisProxy:
    """Forwards one port of loopback to the real Redis, until told otherwise."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, "tests need a Redis that is reached by TCP"
        self._target = (parts.hostname, parts.port or 6379)
        self._open: set[socket.socket] = set()
        self._answers = threading.Event()
        self._answers.set()
        self._port = 0
        #: How many connections were opened through it.
        self.accepted = 0
        self.restore()
        login, at, _place = parts.netloc.rpartition("@")
        self.url = parts._replace(netloc=f"{login}{at}127.0.0.1:{self._port}").geturl()

    def cut(self) -> None:
        """As if Redis had been stopped: connections end, new ones are refused."""
        _close(self._listener)
        for each in [*self._open]:
            _close(each)

    def restore(self) -> None:
        self._answers.set()
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def hang(self) -> None:
        """As if Redis was stuck: connections are taken, nothing is answered."""
        self._answers.clear()

    def go_on(self) -> None:
        self._answers.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near = listener.accept()[0]
                self.accepted += 1
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                self._answers.wait()
                sink.sendall(content)
        for each in (source, sink):
            self._open.discard(each)
            _close(each)


def _close(each: socket.socket) -> None:
    """Also wakes the thread that waits for it."""
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def shared_redis(folder: Path) -> Iterator[str]:
    """The address of the tests' Redis for processes of the user whose home is ``folder``; theirs is deleted later."""
    url = redis_url()
    try:
        yield url
    finally:
        key = folder / "data" / "runicorn" / "secret_key"
        if key.is_file():
            delete_counters(f"runicorn:{mark_of(key.read_text(encoding='ascii').strip())}:")


@contextmanager
def breakable_redis(folder: Path) -> Iterator[RedisProxy]:
    """As shared_redis, by a way that a test can break."""
    with shared_redis(folder) as url:
        proxy = RedisProxy(url)
        try:
            yield proxy
        finally:
            proxy.go_on()
            proxy.cut()


def delete_counters(prefix: str) -> None:
    with redis.Redis.from_url(redis_url()) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)
