"""The library's own tests on every Python it supports: a training machine has no viewer, and its own Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.components import python_interpreter

CHECKOUT = Path(__file__).resolve().parents[2]
#: Of the dependencies, those that the library itself uses; the rest belongs to the viewer.
LIBRARY_DEPENDENCIES = ("orjson", "filelock", "psutil", "platformdirs", "click")


VERSIONS = ("3.10", "3.11", "3.12", "3.13")
Result = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Future[Result]]]:
    """All versions at once, two at a time: the tests mostly wait."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {version: pool.submit(library_tests, version) for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_library_passes_its_tests_without_the_viewer_on_python(results, version):
    done = results[version].result()

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]


def library_tests(version: str) -> Result:
    return subprocess.run(
        [environment_of(version), "-m", "pytest", "-q", "-c", "tests/library.ini", "--rootdir", ".", "tests/runicorn"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def environment_of(version: str) -> str:
    """The Python of an environment that holds the library's dependencies and pytest, kept from run to run."""
    wanted = "\n".join(library_requirements())
    folder = CHECKOUT / f".venv-library-{version}"
    stamp = folder / ".installed"
    python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([python_interpreter(version), "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted.splitlines()], check=True)
        stamp.write_text(wanted)
    return python


def library_requirements() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    dependencies = [line for line in project["project"]["dependencies"] if line.startswith(LIBRARY_DEPENDENCIES)]
    assert len(dependencies) == len(LIBRARY_DEPENDENCIES)
    return [*dependencies, *project["dependency-groups"]["library"]]
