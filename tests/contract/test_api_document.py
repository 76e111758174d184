"""Every example of docs/api.md runs as written, but for the port, and answers in the form that stands behind it."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import user_environment
from tests.experiments.access.people import make_account, make_token
from tests.quick_reference import PORT
from tests.run_directories import RUN_ID, write_run
from tests.server import CHECKOUT, ViewerServer, running_server

DOCUMENT = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Language and text of each block, in the document's order.
BLOCKS = _BLOCK.findall(DOCUMENT)
#: A command, and the block behind it: what it prints.
CURLS = [(text, *behind) for (language, text), behind in pairwise(BLOCKS) if language == "bash"]
SCRIPTS = [text for language, text in BLOCKS if language == "python"]
LINE = "10:15:01 | loading data"


def test_every_block_is_a_command_with_its_answer_or_a_script():
    assert len(CURLS) > 5
    assert [language for language, _ in BLOCKS if language not in ("bash", "json", "text", "python")] == []
    assert len(BLOCKS) == 2 * len(CURLS) + len(SCRIPTS)


def fill(server: ViewerServer) -> None:
    """The run that the document speaks of."""
    run_dir = write_run(
        server.storage,
        status={"ended_at": 1736868700.0},
        records=[{"global_step": step, "loss": loss} for step, loss in ((1, 0.9), (2, 0.5), (3, math.nan))],
    )
    (run_dir / "logs.txt").write_text(f"{LINE}\n")
    server.scan()


@pytest.fixture(scope="module")
def on_loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("api-document"), limits=None) as server:
        fill(server)
        yield server


@pytest.fixture(scope="module")
def reached_by_others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ViewerServer, str]]:
    """The server, and a token."""
    with running_server(tmp_path_factory.mktemp("api-document-lab"), RUNICORN_HOST="0.0.0.0") as server:
        fill(server)
        make_account(server, "ana")
        yield server, make_token(server, owner="ana", name="of the document")


def output_of(command: list[str], server: ViewerServer, folder: Path, **variables: str) -> str:
    environment = user_environment(folder, PATH=os.environ["PATH"], **variables)
    command = [part.replace(PORT, str(server.port)) for part in command]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def form_of(value: Any) -> Any:
    """Names and types, without the values that depend on when and where."""
    if isinstance(value, dict):
        return {name: form_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [form_of(item) for item in value]
    if isinstance(value, str):
        return value.rpartition("/")[2]  # of a path, what does not depend on the place
    return value if value is None or isinstance(value, bool) else "a number"


def agrees(output: str, language: str, documented: str) -> bool:
    if language == "json":
        return bool(form_of(json.loads(output)) == form_of(json.loads(documented)))
    lines = [re.sub(r"\d+", r"\\d+", line) for line in documented.splitlines()]
    return all(re.search(rf"^{line}$", output, re.MULTILINE | re.IGNORECASE) for line in lines)


def test_the_commands_answer_what_stands_behind_them(
    on_loopback: ViewerServer, reached_by_others: tuple[ViewerServer, str], tmp_path: Path
):
    """One after the other, as a reader tries them: one of them deletes a run, the next restores it."""
    wrong = {}
    for command, language, documented in CURLS:
        server, token = reached_by_others if "$TOKEN" in command else (on_loopback, "")
        output = output_of(["bash", "-euc", command], server, tmp_path, TOKEN=token)
        if not agrees(output, language, documented):
            wrong[command] = output

    assert wrong == {}


def test_the_scripts_run(on_loopback: ViewerServer, tmp_path: Path):
    pages, log = [output_of([sys.executable, "-c", script], on_loopback, tmp_path) for script in SCRIPTS]

    assert pages == "1 of 1\n"
    assert log == f"{LINE}\n"
    assert RUN_ID in SCRIPTS[1]
