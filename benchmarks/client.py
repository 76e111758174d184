"""HTTP and WebSocket clients that cost next to nothing, so that the server is what is measured."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import struct
import time

import orjson

TIMEOUT_S = 60.0
#: Kinds of WebSocket frames (RFC 6455, 5.2).
_TEXT, _PING, _PONG = 1, 9, 10


class HttpClient:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def get(self, path: str) -> bytes:
        """The body. Raises RuntimeError unless the answer is 200."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> bytes:
        """The body of the answer to ``body`` as JSON. Raises RuntimeError unless the answer is 200."""
        return self._ask("POST", path, orjson.dumps(body))

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path} answered {response.status}: {answer[:200]!r}")
        return answer

    def timed_get(self, path: str) -> float:
        """Milliseconds until the whole body is here."""
        begin = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - begin) * 1000

    def timed_post(self, path: str, body: object) -> float:
        """As ``timed_get``, for a POST."""
        begin = time.perf_counter()
        self.post(path, body)
        return (time.perf_counter() - begin) * 1000

    def close(self) -> None:
        self._connection.close()


class WebSocketClient:
    """Text frames of a server that neither compresses nor splits them; as fast as Python reads a socket."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        self._buffer = bytearray()
        self._texts: list[bytes] = []
        while b"\r\n\r\n" not in self._buffer:
            self.read_more()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"The handshake for {path} was answered by {head[:200]!r}")
        self._buffer = bytearray(rest)

    def read_more(self) -> None:
        """Block for what arrives next. Raises ConnectionError when the server has closed."""
        received = self.socket.recv(1 << 18)
        if not received:
            raise ConnectionError("the server closed the WebSocket")
        self._buffer += received

    def send(self, text: str) -> None:
        """One text frame of less than 126 bytes."""
        self._send_frame(_TEXT, text.encode())

    def _send_frame(self, kind: int, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self.socket.sendall(bytes((0x80 | kind, 0x80 | len(payload))) + mask + masked)

    def arrived(self) -> list[bytes]:
        """The payloads of the text frames that are here and were not given yet. Pings are answered."""
        texts, self._texts = self._texts, []
        at, buffer = 0, self._buffer
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                if len(buffer) - at < head:
                    break
                (size,) = struct.unpack_from(">H" if head == 4 else ">Q", buffer, at + 2)
            if len(buffer) - at < head + size:
                break
            payload, kind = bytes(buffer[at + head : at + head + size]), buffer[at] & 0x0F
            if kind == _TEXT:
                texts.append(payload)
            elif kind == _PING:
                self._send_frame(_PONG, payload)
            at += head + size
        del buffer[:at]
        return texts

    def next_text(self) -> bytes:
        while not (texts := self.arrived()):
            self.read_more()
        self._texts = texts[1:]
        return texts[0]

    def close(self) -> None:
        self.socket.close()
