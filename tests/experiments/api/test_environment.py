"""GET /api/environment/{run_id}."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.run_directories import write_run
from tests.server import ViewerServer, running_server

_counter = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("documents")) as server:
        yield server


def _run(server: ViewerServer, **documents: Mapping[str, Any]) -> Path:
    run_dir = write_run(server.storage, f"vision/vit/runs/20250114_153045_{next(_counter):06x}", **documents)
    server.scan()
    return run_dir


def test_the_environment_is_what_the_run_recorded(server: ViewerServer, api: httpx.Client):
    environment = {"python_version": "3.11.9", "pip_packages": ["numpy==2.1.0"], "git_info": None, "gpu_info": None}
    run_dir = _run(server, environment=environment)

    assert api.get(f"/api/environment/{run_dir.name}").json() == {"available": True, "environment": environment}


@pytest.mark.parametrize(
    "content",
    [None, b"", b"[]", b"{", b'{"a":' * 900 + b"1" + b"}" * 900],
    ids=["none", "empty", "list", "torn", "deep"],
)
def test_an_environment_that_cannot_be_read_is_not_available(server: ViewerServer, api: httpx.Client, content):
    run_dir = _run(server)
    if content is not None:
        (run_dir / "environment.json").write_bytes(content)

    answer = api.get(f"/api/environment/{run_dir.name}")

    assert (answer.status_code, answer.json()) == (200, {"available": False})


def test_an_environment_may_hold_what_json_does_not(server: ViewerServer, api: httpx.Client):
    run_dir = _run(server)
    (run_dir / "environment.json").write_bytes(b'{"a": NaN, "b": "\\ud800\\u0000", "c": %s}' % (b"9" * 400))

    environment = api.get(f"/api/environment/{run_dir.name}").json()["environment"]

    assert environment == {"a": None, "b": "?\N{REPLACEMENT CHARACTER}", "c": None}


def test_an_unknown_run_has_none(api: httpx.Client):
    answer = api.get("/api/environment/nope")

    assert (answer.status_code, answer.json()["detail"]) == (404, "Run not found")
