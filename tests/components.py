"""Parts of the machine that some tests need and a developer may not have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

#: Set by continuous integration: a missing part is then a failure instead of a skip.
REQUIRE_VARIABLE = "RUNICORN_TEST_REQUIRE"


def require(component: str, found: object, *, hint: str) -> None:
    """Skip the test if ``found`` is false, or fail it where all components are required.

    component: what is missing, in the words of the report. hint: how to install it.
    """
    if found:
        return
    message = f"{component} is missing: {hint}"
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def chromium() -> str:
    """The path of the browser that page tests drive. Skips or fails the test where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require("chromium", path, hint="apt-get install chromium fonts-noto-cjk")
    assert path is not None
    return path


def fixtures() -> Path:
    """Storage roots written by earlier versions: in RUNICORN_FIXTURES, or in shared/fixtures beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "fixtures"
    folder = Path(os.environ.get("RUNICORN_FIXTURES", beside))
    require("the fixtures of earlier versions", folder.is_dir(), hint="set RUNICORN_FIXTURES to their folder")
    return folder


def python_interpreter(version: str) -> str:
    """The real path of a Python of that version, for instance "3.12". Skips or fails the test where there is none."""
    path = find_python(version)
    require(f"Python {version}", path, hint=f"install python{version}")
    assert path is not None
    return path


def find_python(version: str) -> str | None:
    """The real path of a working Python of that version, or None.

    A pyenv shim answers only for the versions that are switched on, so pyenv's own folders are looked at too.
    """
    candidates = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    shim = candidates[0]
    if shim is not None and Path(shim).parent.name == "shims":
        pyenv = Path(shim).parents[1] / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)]
    for candidate in filter(None, candidates):
        with_path = [candidate, "-c", "import sys; print(sys.executable)"]
        answer = subprocess.run(with_path, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.strip()
    return None
