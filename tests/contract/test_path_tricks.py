"""No spelling of a path, and no link inside a run folder, leads out of the storage root. Raw sockets, every route.

The routes come from the resolver, so that a new one is tried without being named here.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from experiments.routing import websocket_urlpatterns
from tests.artifacts.stored import log_version
from tests.path_tricks import PASSWD, SECRET, fetch, tricks
from tests.run_directories import RUN_ID, write_run
from tests.server import ViewerServer, running_server

GOOD = b"this may be read"
#: Routes that serve files, or take a path: what shows that the route is alive, or why there is nothing to serve.
TAKES_A_PATH = {
    "api/runs/<str:run_id>/media/<path:name>": f"/api/runs/{RUN_ID}/media/good.txt",
    "runs/<str:run_id>/media/<path:name>": f"/runs/{RUN_ID}/media/good.txt",
    "runs/<str:run_id>/files/<path:path>": f"/runs/{RUN_ID}/files/media/good.txt",
    "api/artifacts/<str:name>/v<int:version>/files/<path:path>": "/api/artifacts/good.txt/v1/files/good.txt",
    # a name in the index, and never a path
    "api/projects/<str:project>/names/<path:name>/runs": None,
}
#: Links in the media folder of a run → where they lead.
LINKS = {
    "to_file.txt": "{outside}/secret.txt",
    "to_file.png": "{outside}/secret.txt",
    "to_folder": "{outside}",
    "to_passwd.txt": "/etc/passwd",
    "to_root": "/",
    "to_device.bin": "/dev/zero",
    "relative.txt": "../../../../../../secret.txt",
    "chain.txt": "to_file.txt",
    "loop.txt": "loop.txt",
}


@dataclass(frozen=True)
class Route:
    """One address with the parameters in it."""

    pattern: str
    method: str

    def with_value(self, parameter: str, value: str) -> str:
        """The address with one parameter replaced, and names that exist for the others."""
        known = {"run_id": RUN_ID, "project": "vision", "name": "good.txt"}
        return "/" + re.sub(
            r"<(?:\w+:)?(\w+)>",
            lambda match: value if match[1] == parameter else known.get(match[1], "1"),
            self.pattern,
        )

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.pattern)


def routes(patterns: Any = None, prefix: str = "") -> Iterator[Route]:
    """Every route of the site that takes something in its path."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif "<" in route and "(?P" not in route:
            yield Route(route, _method(pattern))


def _method(pattern: URLPattern) -> str:
    methods = [name.upper() for name in ("get", "post", "put", "delete") if hasattr(_view_class(pattern), name)]
    return methods[0] if methods else "GET"


def _view_class(pattern: URLPattern) -> Any:
    return getattr(pattern.callback, "view_class", None)


ROUTES = list(routes())
SOCKETS = [Route(str(pattern.pattern), "GET") for pattern in websocket_urlpatterns if "<" in str(pattern.pattern)]
CASES = [(route, parameter) for route in ROUTES for parameter in route.parameters]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Secrets lie beside the root; inside it, runs whose files and folders are links to them."""
    folder = tmp_path_factory.mktemp("tricks")
    outside = folder / "outside"
    outside.mkdir()
    for path in (folder / "secret.txt", outside / "secret.txt"):
        path.write_bytes(SECRET)
    root = folder / "root"
    media = write_run(root, records=[{"loss": 1.0}]) / "media"
    media.mkdir()
    (media / "good.txt").write_bytes(GOOD)
    for name, target in LINKS.items():
        (media / name).symlink_to(target.format(outside=outside))
    os.mkfifo(media / "fifo.bin")
    _runs_of_links(root, outside)
    log_version(root, {"good.txt": GOOD}, name="good.txt")
    with running_server(folder) as server:
        server.scan()
        yield server
        assert "Traceback" not in server.log.read_text()
    assert sorted(path.name for path in outside.iterdir()) == ["environment.json", "linked", "media", "secret.txt"]


def _runs_of_links(root: Path, outside: Path) -> None:
    """A run whose documents and log are links, one whose media folder is, and one that is a link itself."""
    document = json.dumps({"id": "x", "python_version": SECRET.decode(), "hostname": SECRET.decode()})
    (outside / "environment.json").write_text(document, encoding="utf-8")
    run_dir = write_run(root, "vision/vit/runs/20250302_000000_links1")
    for name in ("environment.json", "logs.txt", "events.jsonl", "summary.json", "config.json", "artifacts_used.json"):
        (run_dir / name).unlink(missing_ok=True)
        (run_dir / name).symlink_to(outside / "environment.json")
    (outside / "media").mkdir()
    (outside / "media" / "secret.txt").write_bytes(SECRET)
    (write_run(root, "vision/vit/runs/20250302_000000_links2") / "media").symlink_to(outside / "media")
    write_run(outside, "linked/run/runs/20250302_000000_links3", meta={"hostname": SECRET.decode()})
    (run_dir.parent / "20250302_000000_links3").symlink_to(outside / "linked/run/runs/20250302_000000_links3")


def told_nothing(answer: bytes) -> bool:
    return SECRET not in answer and PASSWD not in answer and not answer.startswith(b"HTTP/1.1 5")


@pytest.mark.parametrize(("route", "parameter"), CASES, ids=[f"{route.pattern}-{name}" for route, name in CASES])
def test_no_spelling_leads_out(server: ViewerServer, route: Route, parameter: str):
    for target in ("/etc/passwd", f"{server.storage.parent}/secret.txt"):
        for name, spelling in tricks(target):
            answer = fetch(server.port, route.method, route.with_value(parameter, spelling))

            assert answer.startswith(b"HTTP/1.1 "), name
            assert told_nothing(answer), name


@pytest.mark.parametrize("prefix", ["/static/", "/static/experiments/", "/static/drf_spectacular_sidecar/"])
def test_no_spelling_leads_out_of_the_static_files(server: ViewerServer, prefix: str):
    settings = (Path(__file__).parents[2] / "runicorn_site" / "settings.py").as_posix()
    for target in ("/etc/passwd", f"{server.storage.parent}/secret.txt", settings):
        for name, spelling in tricks(target):
            answer = fetch(server.port, "GET", prefix + spelling)

            assert told_nothing(answer), name
            assert b"SECRET_KEY" not in answer, name


def test_the_routes_that_take_a_path_are_alive(server: ViewerServer):
    take_a_path = {route.pattern for route in ROUTES if "<path:" in route.pattern}
    of_the_admin = {pattern for pattern in take_a_path if "<path:object_id>" in pattern}  # keys of rows, no paths
    assert take_a_path - of_the_admin == TAKES_A_PATH.keys()
    for address in filter(None, TAKES_A_PATH.values()):
        assert fetch(server.port, "GET", address).endswith(GOOD), address


@pytest.mark.parametrize("prefix", ["/api/runs/", "/runs/"])
def test_no_link_in_a_media_folder_is_followed_out(server: ViewerServer, prefix: str):
    names = [*LINKS, "fifo.bin", "to_folder/secret.txt", "to_folder/../secret.txt", "to_root/etc/passwd", "to_root"]
    for name in names:
        answer = fetch(server.port, "GET", f"{prefix}{RUN_ID}/media/{name}")

        assert answer.startswith(b"HTTP/1.1 404 "), name
        assert told_nothing(answer), name
    for path in ("secret.txt", "../media/secret.txt"):
        assert told_nothing(fetch(server.port, "GET", f"{prefix}20250302_000000_links2/media/{path}"))


RUNS_OF_LINKS = [f"20250302_000000_links{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize("run_id", RUNS_OF_LINKS)
def test_no_document_that_is_a_link_is_shown(server: ViewerServer, run_id: str):
    for route in ROUTES:
        if route.parameters == ["run_id"]:
            assert told_nothing(fetch(server.port, "GET", route.with_value("run_id", run_id))), route
    for address in ("/api/runs", "/api/v2/experiments", "/runs", "/problems"):
        assert told_nothing(fetch(server.port, "GET", address)), address


def frames(port: int, target: str) -> bytes:
    """What a WebSocket sends within a moment, or the refusal of its handshake."""
    upgrade = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *upgrade,
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n")
        answer += connection.recv(65536)
        connection.settimeout(0.15)
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


@pytest.mark.parametrize("route", SOCKETS, ids=lambda route: route.pattern)
def test_no_socket_tells_what_lies_outside(server: ViewerServer, route: Route):
    spellings = [(run_id, run_id) for run_id in RUNS_OF_LINKS]
    spellings += tricks(f"{server.storage.parent}/secret.txt")
    for name, spelling in spellings:
        answer = frames(server.port, route.with_value("run_id", spelling))

        assert answer, name
        assert told_nothing(answer), name


BODIES = [
    ("POST", "/api/runs/soft-delete", {}),
    ("POST", "/api/recycle-bin/restore", {}),
    ("DELETE", "/api/experiments/delete", {"force": True}),
]


@pytest.mark.parametrize(("method", "address", "more"), BODIES)
def test_no_id_in_a_body_reaches_what_lies_outside(
    server: ViewerServer, method: str, address: str, more: dict[str, Any]
):
    spellings = [spelling for _, spelling in tricks(f"{server.storage.parent}/outside")]
    spellings += ["../outside", f"{server.storage.parent}/outside", "20250302_000000_links3", ".", "..", ""]
    outside = sorted((server.storage.parent / "outside").rglob("*"))
    for spelling in spellings:
        body = json.dumps({"run_ids": [spelling]} | more).encode()
        answer = fetch(server.port, method, address, "Content-Type: application/json", body=body)

        assert not answer.startswith(b"HTTP/1.1 5"), spelling
    assert sorted((server.storage.parent / "outside").rglob("*")) == outside
