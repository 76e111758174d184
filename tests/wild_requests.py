"""What a broken or hostile client may send: strategies for hypothesis, and a socket that sends bytes as they are."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from string import ascii_letters
from urllib.parse import quote

from hypothesis import strategies as st

#: A server that waits for more bytes answers nothing; it is not asked for longer than this.
PATIENCE_S = 0.3
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
METHODS = [
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "PROPFIND",
    "X" * 99,
    "G\x00T",
]
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/1.1 ", "", "ICY"]
PIECES = [
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%C0%AF",
    "%",
    "%zz",
    "//",
    "\\",
    "?",
    "#",
    ";",
    "é",
    "\U0001f984",
    "x" * 3000,
    " ",
    "*",
]
HEADERS = {
    "Host": ["127.0.0.1", "localhost:99999", "elsewhere.example", "", "[::1", "127.0.0.1\x00", "a" * 9000, "é"],
    "Content-Length": ["0", "5", "-1", "99999999999999999999", "x", "5, 5", "+5", "0x5"],
    "Transfer-Encoding": ["chunked", "gzip", "chunked, chunked", "identity", "\x0bchunked"],
    "Content-Type": [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
        "a/b;charset=\xff",
        "",
    ],
    "Content-Encoding": ["gzip", "x"],
    "Authorization": ["Bearer", "Bearer \xff\xfe", "Basic !!!", "Bearer " + "a" * 9000, "Bearer a b", ""],
    "Origin": ["null", "http://[", "https://elsewhere.example", "\xff"],
    "Sec-Fetch-Site": ["cross-site", "x"],
    "Range": ["bytes=0-", "bytes=5-2", "bytes=-99999999999999999999", "x"],
    "If-None-Match": ["*", '"', 'W/"x"', "\xff"],
    "If-Modified-Since": ["x", "Mon, 99 Foo 9999 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"],
    "Accept": ["*/*", "\xff", ";q=x"],
    "Accept-Language": ["zh-CN", "x" * 5000, "\xff", "../../etc/passwd"],
    "Cookie": ["a=b", "runicorn_session=../../x", "=;=;\xff", "runicorn_csrf=" + "x" * 4000],
    "Expect": ["100-continue", "x"],
    "Upgrade": ["websocket", "h2c"],
    "Connection": ["close", "Upgrade", "keep-alive, x"],
    "Sec-WebSocket-Version": ["13", "x"],
    "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "x"],
    "X-Forwarded-For": ["1.2.3.4", "x" * 5000, "\xff"],
    "X-HTTP-Method-Override": ["DELETE"],
    "HX-Request": ["true"],
    "HX-Current-URL": ["http://[", "\xff"],
}
OTHER_PATHS = [
    "/",
    "/docs",
    "/openapi.json",
    "/runs",
    "/runs.rows",
    "/static/experiments/app.js",
    "/live/ws",
    "http://x/api",
]
BODIES = [
    b"",
    b"{}",
    b'{"run_ids": ["20261123_065528_999992"]}',
    b'{"run_ids": [{}, null, 1e999]}',
    b"[" * 20_000,
    b'{"a":' * 2000,
    b'"\\ud800"',
    b"\xff\xfe\x00",
    b"NaN",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\nx\r\n--x--\r\n',
    b"--x\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\nhello\r\n",
    b"ffffffffffffffff\r\nx",
]


def wild_requests(labels: Sequence[str]) -> st.SearchStrategy[bytes]:
    """A whole request. labels: method and path of real operations, which are bent, not invented.

    Most get past the server's door, where what is no HTTP at all is turned away.
    """
    paths = [label.partition(" ")[2].replace("{run_id}", "20261123_065528_999992") for label in labels] + OTHER_PATHS
    piece = st.sampled_from(PIECES) | st.text(max_size=5).map(quote) | st.text(max_size=3)
    path = st.builds(_bent, st.sampled_from(paths), st.lists(piece, max_size=2))
    header = st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values])
    wild_header = st.tuples(st.text(alphabet=ascii_letters + "-_", max_size=10), st.text(max_size=30))
    headers = st.lists(header | header | wild_header, max_size=3)
    methods = st.sampled_from(METHODS + [label.partition(" ")[0] for label in labels] * 2)
    bodies = st.sampled_from(BODIES) | st.binary(max_size=60)
    honest = st.sampled_from([True] * 9 + [False])
    return st.builds(_request, methods, path, st.sampled_from(["HTTP/1.1"] * 40 + VERSIONS), headers, bodies, honest)


def _bent(path: str, pieces: Sequence[str]) -> str:
    return path + "".join(pieces)


def _request(
    method: str, path: str, version: str, headers: Sequence[tuple[str, str]], body: bytes, honest: bool
) -> bytes:
    """honest: with a right Host and Content-Length in front, so that the request gets past the server's door."""
    names = {name for name, _ in headers}
    true = [("Host", "127.0.0.1"), ("Content-Length", str(len(body))), ("Content-Type", "application/json")]
    lines = [f"{method} {path} {version}"]
    lines += [f"{name}: {value}" for name, value in true if honest and name not in names]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def ask(port: int, request: bytes) -> list[int]:
    """Send the bytes; gives the statuses that came back, none where the server waits or hangs up."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(PATIENCE_S)
            while piece := connection.recv(65536):
                answer += piece
                if b"\r\n\r\n" in answer:  # the rest of the body says nothing more
                    connection.settimeout(0.02)
        except OSError:
            pass
    return [int(status) for status in STATUS_LINE.findall(answer)]
