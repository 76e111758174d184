"""A real web process on a free port, with a storage root and folders of its own, for tests over TCP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
CHECKOUT = Path(__file__).resolve().parents[1]

# Port 0: the system picks a free one, and only the process itself can tell which.
_WEB = """
import os, sys
from daphne.server import Server
import django
django.setup()
from runicorn_site.databases import prepare
prepare()
from runicorn_site.asgi import application
from twisted.internet import reactor
server = Server(application, endpoints=["tcp:port=0:interface=127.0.0.1"], server_name="runicorn")
reactor.callWhenRunning(lambda: reactor.callLater(0, announce))
def announce():
    print("port", server.listening_addresses[0][1], flush=True)
# gone with the tests, however they end
import threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.run()
"""
_SCAN = """
import time
from django.conf import settings
from experiments.mirror import RUNS
from experiments.models import StorageRoot
root, _ = StorageRoot.objects.get_or_create(key="local", defaults={"path": str(settings.RUNICORN_STORAGE_ROOT)})
RUNS.scan_root(root, now=time.time())
"""


@dataclass
class ViewerServer:
    """One web process without a mirror process: tests index with ``scan()``, when they want to."""

    storage: Path
    environment: Mapping[str, str]
    port: int = 0
    stderr: list[str] = field(default_factory=list)

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
        result = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout


@contextmanager
def running_server(folder: Path, **variables: str) -> Iterator[ViewerServer]:
    """A server whose storage root is ``folder/root``; variables are added to its environment."""
    storage = folder / "root"
    storage.mkdir(exist_ok=True)
    places = {"XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "RUNICORN_DIR": "root"}
    environment = {
        **os.environ,
        **{variable: str(folder / name) for variable, name in places.items()},
        "DJANGO_SETTINGS_MODULE": "runicorn_site.settings",
        **variables,
    }
    server = ViewerServer(storage, environment)
    process = subprocess.Popen(
        [sys.executable, "-c", _WEB],
        env=environment,
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    threading.Thread(target=server.stderr.extend, args=(process.stderr,), daemon=True).start()
    timer = threading.Timer(START_TIMEOUT_S, process.kill)
    timer.start()
    try:
        found = re.fullmatch(r"port (\d+)\n", process.stdout.readline())
        timer.cancel()
        assert found, f"the web process did not start:\n{''.join(server.stderr)}"
        server.port = int(found[1])
        yield server
    finally:
        timer.cancel()
        process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
