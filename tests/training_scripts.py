"""Training scripts as users write them, run as processes of their own, and what they leave in the storage root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TIMEOUT_S = 60


def run_script(
    code: str, *, root: Path, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``code`` to its end in a fresh interpreter, with ``root`` as storage root and working folder."""
    process = start_script(code, root=root, env=env)
    try:
        output, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    if check:
        assert done.returncode == 0, errors
    return done


def start_script(code: str, *, root: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start ``code`` in a fresh interpreter; ``rn`` is imported already. Its output is piped."""
    root.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", "import runicorn as rn\n" + textwrap.dedent(code)],
        cwd=root,
        env={**os.environ, "RUNICORN_DIR": str(root), "PYTHONPATH": str(Path(__file__).parents[1]), **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def wait_for_line(process: subprocess.Popen[str], line: str) -> None:
    """Read the script's output up to a line."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.rstrip("\n") == line:
            return
    assert process.stderr is not None
    raise AssertionError(f"The script ended without printing {line!r}: {process.stderr.read()}")


def wait_until(true: Callable[[], object], *, timeout_s: float = 20.0) -> None:
    """Look every 20 ms until ``true`` says so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def only_run(root: Path) -> Path:
    """The directory of the one run in a storage root."""
    (run_dir,) = (path for path in root.glob("*/*/runs/*") if not path.name.startswith("."))
    return run_dir


def document(run_dir: Path, name: str) -> dict[str, Any]:
    value = json.loads((run_dir / name).read_text("utf-8"))
    assert isinstance(value, dict)
    return value


def events(run_dir: Path, name: str = "events.jsonl", *, type: str | None = None) -> list[dict[str, Any]]:
    """The events of a run, in the order of their lines; each whole line must be valid JSON."""
    found = [json.loads(line, parse_constant=_refuse) for line in _lines(run_dir / name)[:-1] if line]
    return [event for event in found if type is None or event["type"] == type]


def records(run_dir: Path, name: str = "events.jsonl") -> list[dict[str, Any]]:
    """The data of a run's metrics events."""
    return [event["data"] for event in events(run_dir, name, type="metrics")]


def drop_torn_line(run_dir: Path, name: str = "events.jsonl") -> None:
    """Forget what a killed writer left without an end: the kernel breaks a write off between two pages."""
    file = run_dir / name
    whole = file.read_bytes().rpartition(b"\n")
    file.write_bytes(whole[0] + whole[1])


def log_lines(run_dir: Path, name: str = "logs.txt") -> list[str]:
    """The log's lines without their time of day; lines that have none are marked by a leading ``…``."""
    lines = _lines(run_dir / name)[:-1]
    return [line[11:] if line[8:11] == " | " else f"…{line}" for line in lines]


def _lines(path: Path) -> list[str]:
    # not splitlines: only a newline ends a record
    return path.read_text("utf-8").split("\n") if path.exists() else []


def _refuse(token: str) -> None:
    raise AssertionError(f"{token} is not JSON")
