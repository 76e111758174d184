"""Ways to spell a path so that a careless server leaves its folder, as raw bytes of a request line."""

from __future__ import annotations

import socket
from collections.abc import Iterator

#: What no answer may hold.
SECRET = b"do-not-tell-8c1f"
PASSWD = b"root:x:0:"
#: More than any folder of a test is deep: at the top, a further step up stays there.
UP = 20


def _encoded(text: str, times: int = 1) -> str:
    """Every byte percent-encoded, again and again."""
    text = "".join(f"%{byte:02x}" for byte in text.encode("utf-8"))
    for _ in range(times - 1):
        text = text.replace("%", "%25")
    return text


def tricks(target: str) -> Iterator[tuple[str, str]]:
    """Name and spelling of each trick. target: a file's absolute path, reached from anywhere by going up."""
    climb = "../" * UP + target.lstrip("/")
    yield "dots", climb
    yield "one step", "../secret.txt"
    yield "behind a folder", f"x/{climb}"
    yield "behind a real folder", f"media/{climb}"
    for times, name in enumerate(("once", "twice", "thrice"), start=1):
        yield f"encoded {name}", _encoded(climb, times)
        yield f"slashes encoded {name}", climb.replace("/", _encoded("/", times))
        yield f"dots encoded {name}", climb.replace("..", _encoded("..", times))
        yield f"backslashes encoded {name}", climb.replace("/", _encoded("\\", times))
    yield "backslashes", climb.replace("/", "\\")
    yield "mixed slashes", climb.replace("../", "..\\/")
    yield "absolute", target
    yield "absolute, encoded", _encoded(target)
    yield "absolute, two slashes", f"/{target}"
    yield "drive", "C:\\Windows\\win.ini"
    yield "drive, encoded", _encoded("C:\\Windows\\win.ini")
    yield "drive without a slash", f"C:{target}"
    yield "network share", "%5c%5cserver%5cshare%5cx"
    yield "file address", f"file://{target}"
    yield "NUL behind", f"{climb}%00"
    yield "NUL and an ending", f"{climb}%00.png"
    yield "NUL between", climb.replace("../", ".%00./")
    yield "newline", f"{climb}%0a"
    for name, slash in {"division": "∕", "fraction": "⁄", "full width": "／", "big solidus": "⧸"}.items():
        yield f"{name} slash", climb.replace("/", _encoded(slash))
    for name, dots in {"full width": "．．", "two dot leader": "‥", "small": "﹒﹒", "ellipsis": "…"}.items():
        yield f"{name} dots", climb.replace("..", _encoded(dots))
    yield "overlong dots", climb.replace("..", "%c0%ae%c0%ae")
    yield "overlong slashes", climb.replace("/", "%c0%af")
    yield "overlong in three bytes", climb.replace("/", "%e0%80%af").replace(".", "%e0%80%ae")
    yield "invalid UTF-8", climb.replace("../", "..%ff/")
    yield "percent u", climb.replace("..", "%u002e%u002e").replace("/", "%u2215")
    yield "trailing dots", climb.replace("../", ".../")
    yield "dots and blanks", climb.replace("../", "..%20/")
    yield "doubled", climb.replace("../", "....//")
    yield "with a parameter", climb.replace("../", "..;/")
    yield "dot at the end", f"{climb}."
    yield "slash at the end", f"{climb}/"
    yield "home", "~/secret.txt"
    yield "nothing", "."
    yield "up only", ".."
    yield "up only, encoded", "%2e%2e"
    yield "long", "a" * 5000
    yield "deep", "a/" * 2000


def fetch(port: int, method: str, target: str, *headers: str, body: bytes = b"", patience_s: float = 10.0) -> bytes:
    """The whole answer to a request whose path no client has tidied. What hangs for longer fails."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}", *headers]
    if not any(header.startswith("Connection:") for header in headers):
        lines.append("Connection: close")
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        connection.sendall("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body)
        while piece := connection.recv(65536):
            answer += piece
    return answer
