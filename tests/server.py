"""A real web process on a free port, with a storage root and folders of its own, for tests over TCP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.databases import database_of

#: A machine that is busy with other tests takes many times as long as an idle one.
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
#: Tests of other things send more requests a minute than a program may by default.
RAISED_LIMITS: Mapping[str, Any] = {"endpoints": {"/api": {"max_requests": 1_000_000}}}
CHECKOUT = Path(__file__).resolve().parents[1]

# Port 0: the system picks a free one, and only the process itself can tell which.
_WEB = """
import json, os, sys
from runicorn_site.daphne_flow import Limits, make_server
import django
django.setup()
from runicorn_site.databases import prepare
prepare()
from runicorn_site.asgi import application
def announce():
    print("port", server.listening_addresses[0][1], flush=True)
limits = Limits(**json.loads(os.environ.get("TEST_LIMITS", "{}")))
server = make_server(application, ip="127.0.0.1", port=0, on_ready=announce, limits=limits)
# gone with the tests, however they end
import threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.run()
"""
# Runs code for the tests beside the server, one JSON string a line: Django is set up once and not for every call.
_HELPER = """
import contextlib, io, json, sys, traceback
import django
django.setup()
for line in sys.stdin:
    output = io.StringIO()
    error = None
    with contextlib.redirect_stdout(output):
        try:
            exec(json.loads(line), {})
        except Exception:
            error = traceback.format_exc()
    print(json.dumps({"output": output.getvalue(), "error": error}), flush=True)
"""
_SCAN = """
import time
from django.conf import settings
from experiments.mirror.loop import mirror_once
from experiments.models import StorageRoot
from runicorn_site.mirror import MIRRORS
root, _ = StorageRoot.objects.get_or_create(key="local", defaults={"path": str(settings.RUNICORN_STORAGE_ROOT)})
for mirror in MIRRORS:
    mirror.forget()
while mirror_once(MIRRORS, root, now=time.time()):
    pass
"""


@dataclass
class ViewerServer:
    """One web process without a mirror process: tests index with ``scan()``, when they want to."""

    storage: Path
    #: What the web process wrote to its standard error.
    log: Path
    environment: Mapping[str, str]
    port: int = 0
    #: Of the web process.
    pid: int = 0
    helper: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def scan(self) -> None:
        """Bring the index in step with the storage root, as the mirror process would."""
        self.run_python(_SCAN)

    def run_python(self, code: str) -> str:
        """Run code in a process of its own with Django set up for this server's databases; gives what it printed."""
        assert self.helper is not None
        assert self.helper.stdin is not None
        assert self.helper.stdout is not None
        self.helper.stdin.write(json.dumps(code) + "\n")
        self.helper.stdin.flush()
        answer = json.loads(self.helper.stdout.readline())
        assert answer["error"] is None, answer["error"]
        return str(answer["output"])


def write_limits(config_home: Path, limits: Mapping[str, Any] = RAISED_LIMITS) -> Path:
    """Put a rate_limits.json into the user's configuration below ``config_home``."""
    file = config_home / "runicorn" / "rate_limits.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(limits), encoding="utf-8")
    return file


@contextmanager
def running_server(
    folder: Path, *, limits: Mapping[str, Any] | None = RAISED_LIMITS, **variables: str
) -> Iterator[ViewerServer]:
    """A server whose storage root is ``folder/root``; variables are added to its environment.

    limits: the user's rate_limits.json; None for those that are built in.
    """
    storage = folder / "root"
    storage.mkdir(exist_ok=True)
    if limits is not None:
        write_limits(folder / "config", limits)
    places = {"XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "RUNICORN_DIR": "root"}
    environment = {
        **os.environ,
        **{variable: str(folder / name) for variable, name in places.items()},
        "DJANGO_SETTINGS_MODULE": "runicorn_site.settings",
        **database_of(folder),
        **variables,
    }
    server = ViewerServer(storage, folder / "web.log", environment)
    with server.log.open("w") as log, _python(_WEB, environment, stderr=log) as process:
        assert process.stdout is not None
        timer = threading.Timer(START_TIMEOUT_S, process.kill)
        timer.start()
        found = re.fullmatch(r"port (\d+)\n", process.stdout.readline())
        timer.cancel()
        assert found, f"the web process did not start:\n{server.log.read_text()}"
        server.port, server.pid = int(found[1]), process.pid
        with _python(_HELPER, environment) as server.helper:
            yield server


@contextmanager
def _python(
    code: str, environment: Mapping[str, str], *, stderr: TextIO | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends when its standard input does, with us at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
