"""Random requests against a real server: no answer is a 500, and each is as the description says.

A few hundred in the suite, always the same; ``make fuzz`` sends 10,000 (RUNICORN_FUZZ_REQUESTS).
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from experiments.api.openapi import description
from tests.api_description import disagreements, find_operation
from tests.components import fixtures
from tests.server import ViewerServer, running_server
from tests.wild_requests import ask, wild_requests

REQUESTS = int(os.environ.get("RUNICORN_FUZZ_REQUESTS", "600"))
SCHEMA = schemathesis.openapi.from_dict(json.loads(description()[0]))
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
#: The share of requests that know nothing of the description.
WILD = REQUESTS // 3
#: Names that exist, so that not everything is a 404.
KNOWN = {
    "run_id": ["20261123_065528_999992", "20261123_065541_f8fe11"],
    "project": ["vision", "digits"],
    "name": ["nothing.png", "vit"],
    "version": [2, 4],
}
KNOWN_ARTIFACTS = {**KNOWN, "name": ["digits-sgd", "digits-sgd"]}
#: Where a body names a folder that is created and shown from then on.
FOLDER_KEYS = {"path", "user_root", "user_root_dir"}


SWITCHES = {"POST /api/config/user_root_dir", "PUT /api/config"}


def within(root: Path, value: Any) -> Any:
    """What a random request may call a folder: no other than the root, or nothing that could be one."""
    return str(root) if isinstance(value, str) and value.strip().startswith(("/", "~")) else value


def random_requests(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As many examples, the same ones every time; what fails is not shrunk, which would cost thousands of requests."""
    return settings(
        max_examples=max(count, 1),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    folder = tmp_path_factory.mktemp("random")
    with tarfile.open(fixtures() / "storage-0.4.1.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "storage-0.4.1").rename(folder / "root")
    with running_server(folder) as server:
        server.scan()
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_requests_made_from_the_description(
    server: ViewerServer, session: requests.Session, label: str, mode: GenerationMode
):
    operation = OPERATIONS[label]
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
        return  # nothing to get wrong: parts of a path are texts, and any text is one

    @random_requests((REQUESTS - WILD) // (2 * len(OPERATIONS)))
    @given(case=operation.as_strategy(generation_mode=mode), known=st.none() | st.integers(0, 1))
    def answers_as_described(case: Any, known: int | None) -> None:
        names = KNOWN_ARTIFACTS if "/api/artifacts/" in label else KNOWN
        if known is not None:
            case.path_parameters |= {name: names[name][known] for name in case.path_parameters if name in names}
        if label in SWITCHES and isinstance(case.body, dict):
            case.body |= {key: within(server.storage, value) for key, value in case.body.items() if key in FOLDER_KEYS}
        answer = case.call(base_url=server.url, session=session, timeout=30)

        assert answer.status_code < 500, answer.text
        asked = find_operation(answer.request.method, answer.request.path_url.partition("?")[0])
        (media_type,) = answer.headers.get("content-type", [""])
        problems = disagreements(asked, answer.status_code, media_type, answer.content)
        assert problems == [], f"{answer.request.method} {answer.request.url} answered {answer.status_code}"

    answers_as_described()


def test_requests_that_know_no_rules(server: ViewerServer):
    @random_requests(WILD)
    @given(request=wild_requests([*OPERATIONS]))
    def answers_without_a_500(request: bytes) -> None:
        statuses = ask(server.port, request)

        assert all(status < 500 or status == 501 for status in statuses), (request, statuses)

    answers_without_a_500()
    assert requests.get(f"{server.url}/api/health", timeout=30).json()["status"] == "ok"
