"""Saved SSH connections over HTTP, and what is taken over from older versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_description import check
from tests.server import ViewerServer, running_server

SECRETS = {"password": "hunter2-very-secret", "private_key": "-----BEGIN KEY-----", "passphrase": "open-sesame"}
CLEAR = "from sync.models import *; SshConnection.objects.all().delete(); ConnectionImport.objects.all().delete()"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("connections")) as server:
        yield server


@pytest.fixture
def server(own_server: ViewerServer) -> Iterator[ViewerServer]:
    """A server that has saved no connections."""
    yield own_server
    own_server.run_python(CLEAR)
    config_file(own_server).unlink(missing_ok=True)


@pytest.fixture
def api(server: ViewerServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, event_hooks={"response": [check]}) as client:
        yield client


def config_file(server: ViewerServer) -> Path:
    return Path(server.environment["XDG_CONFIG_HOME"]) / "runicorn" / "config.json"


def write_config(server: ViewerServer, entries: Any) -> bytes:
    content = json.dumps({"user_root_dir": "/data", "ssh_connections": entries}).encode()
    config_file(server).write_bytes(content)
    return content


def save(api: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/api/config/ssh_connections", json={"host": "gpu1", "username": "ana", **body})
    assert answer.status_code == 200, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def listed(api: httpx.Client) -> list[dict[str, Any]]:
    connections: list[dict[str, Any]] = api.get("/api/config/ssh_connections").json()["connections"]
    return connections


def test_a_connection_is_saved_and_listed(api: httpx.Client):
    assert listed(api) == []

    answer = save(api, name="Lab GPU", auth_method="key", private_key_path="~/.ssh/id_ed25519")

    fields = {"key": "ana@gpu1:22@ana", "remember_password": False}
    assert answer == {"ok": True, "message": "SSH connection saved successfully", **fields, "data": fields}
    item = {
        "key": "ana@gpu1:22@ana",
        "host": "gpu1",
        "port": 22,
        "username": "ana",
        "name": "Lab GPU",
        "auth_method": "key",
        "remember_password": False,
        "has_password": False,
        "has_private_key": False,
        "private_key_path": "~/.ssh/id_ed25519",
    }
    assert listed(api) == [item]
    details = api.get("/api/config/ssh_connections/ana@gpu1:22@ana/details").json()
    assert details == {"ok": True, "connection": item}


def test_saving_the_same_place_again_replaces_and_comes_last(api: httpx.Client):
    save(api, name="old", private_key_path="/k")
    save(api, port=2222)
    save(api, name="new")

    assert [(one["key"], one["name"], one.get("private_key_path")) for one in listed(api)] == [
        ("ana@gpu1:2222@ana", "", None),
        ("ana@gpu1:22@ana", "new", None),
    ]


def test_more_than_ten_are_kept(api: httpx.Client):
    for number in range(12):
        save(api, host=f"gpu{number}")

    assert [one["host"] for one in listed(api)] == [f"gpu{number}" for number in range(12)]


@pytest.mark.once  # looks into every file of the user
def test_no_secret_is_kept_and_who_asks_for_it_is_told(server: ViewerServer, api: httpx.Client):
    answer = save(api, remember_password=True, **SECRETS)

    assert "not kept" in answer["message"]
    assert answer["remember_password"] is False
    (item,) = listed(api)
    assert [item[name] for name in ("remember_password", "has_password", "has_private_key")] == [False] * 3
    kept = [path.read_bytes() for path in server.storage.parent.rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert not any(secret.encode() in content for secret in SECRETS.values() for content in kept)


@pytest.mark.parametrize("key", ["ana@gpu1:22@ana", "gpu1:22@ana", "ana@gpu1:22"])
def test_every_form_of_a_key_finds_and_deletes(api: httpx.Client, key: str):
    save(api)
    save(api, host="gpu2")

    assert api.get(f"/api/config/ssh_connections/{key}/details").json()["connection"]["host"] == "gpu1"
    answer = api.delete(f"/api/config/ssh_connections/{key}")

    assert answer.json() == {"ok": True, "message": "SSH connection deleted successfully", "data": {}}
    assert [one["host"] for one in listed(api)] == ["gpu2"]


@pytest.mark.parametrize("key", ["nobody@gpu1:22", "gpu1", "%00", "..", "a%2Fb", "ana@gpu1:99999999999999999999", "好"])
def test_an_unknown_key_is_not_found(api: httpx.Client, key: str):
    save(api)

    assert api.get(f"/api/config/ssh_connections/{key}/details").status_code == 404
    assert api.delete(f"/api/config/ssh_connections/{key}").status_code in (404, 405)  # ".." is the list itself
    assert len(listed(api)) == 1


def test_an_unknown_key_is_told_in_the_references_words(api: httpx.Client):
    answer = api.delete("/api/config/ssh_connections/x@y:1")

    assert (answer.status_code, answer.json()["detail"]) == (404, "Connection not found: x@y:1")


@pytest.mark.parametrize(
    "body",
    [
        {"host": "gpu1"},
        {"username": "ana"},
        [],
        None,
        {"host": "", "username": "ana"},
        {"host": ["gpu1"], "username": "ana"},
        {"host": "gpu1\0", "username": "ana"},
        {"host": "gpu1 -o ProxyCommand=x", "username": "ana"},
        {"host": "-oProxyCommand=x", "username": "ana"},
        {"host": "gpu1/x", "username": "ana"},
        {"host": "x" * 256, "username": "ana"},
        {"host": "gpu1", "username": "-l"},
        {"host": "gpu1", "username": "a\nb"},
        {"host": "gpu1", "username": "ana", "port": 0},
        {"host": "gpu1", "username": "ana", "port": 65536},
        {"host": "gpu1", "username": "ana", "port": 10**40},
        {"host": "gpu1", "username": "ana", "port": "ssh"},
        {"host": "gpu1", "username": "ana", "auth_method": "telepathy"},
        {"host": "gpu1", "username": "ana", "name": "x" * 256},
        {"host": "gpu1", "username": "ana", "private_key_path": "x" * 5000},
        {"host": "gpu1", "username": "ana", "password": {"deep": []}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_makes_no_sense_is_not_saved(api: httpx.Client, body: Any):
    answer = api.post("/api/config/ssh_connections", json=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(("Failed to save connection: ", "host and username are required"))
    assert listed(api) == []


def test_connections_of_older_versions_are_taken_over_once_without_their_secrets(
    server: ViewerServer, api: httpx.Client
):
    content = write_config(
        server,
        [
            {"key": "gpu1:22@ana", "host": "gpu1", "port": 22, "username": "ana", "name": "Lab", **SECRETS},
            {"host": "gpu2", "username": "ben", "auth_method": "key", "private_key_path": "~/k", "password": "ENC:x"},
            {"host": "gpu3", "username": "-x"},
            {"host": 5, "username": "eve"},
            {"host": "gpu4", "username": "eve", "port": "22"},
            {"host": "gpu5", "username": "eve", "auth_method": "telepathy"},
            "nonsense",
        ],
    )

    assert [(one["key"], one["name"], one["auth_method"]) for one in listed(api)] == [
        ("ana@gpu1:22@ana", "Lab", "password"),
        ("ben@gpu2:22@ben", "", "key"),
    ]
    assert not any(one["has_password"] for one in listed(api))
    assert config_file(server).read_bytes() == content

    api.delete("/api/config/ssh_connections/gpu1:22@ana")
    assert [one["host"] for one in listed(api)] == ["gpu2"], "what was deleted does not come back"
    assert config_file(server).read_bytes() == content


def test_what_was_saved_here_wins_over_an_older_versions_entry(server: ViewerServer, api: httpx.Client):
    save(api, name="mine")
    write_config(server, [{"host": "gpu1", "username": "ana", "port": 22, "name": "theirs"}])

    assert [one["name"] for one in listed(api)] == ["mine"]


@pytest.mark.parametrize("content", [b"{", b'{"ssh_connections": {"a": 1}}', b'{"ssh_connections": 5}', b"[]", b"{}"])
def test_a_file_without_connections_is_looked_at_again(server: ViewerServer, api: httpx.Client, content: bytes):
    config_file(server).write_bytes(content)
    assert listed(api) == []

    write_config(server, [{"host": "gpu1", "username": "ana"}])
    assert [one["host"] for one in listed(api)] == ["gpu1"]
