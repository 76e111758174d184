"""The viewer's processes, each as a function that returns when it has been told to stop.

Called by the commands of ``runicorn.cli``, which knows them by name only. The environment that
``runicorn_site.environment`` lists must be set before; nothing of Django is loaded at import.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from runicorn.errors import InvalidInput, PortTaken

SETTINGS = "runicorn_site.settings"
#: How often a second mirror process looks whether the first has gone.
STANDBY_INTERVAL_S = 1.0


def serve(*, ip: str, port: int, on_ready: Callable[[], None]) -> None:
    """Answer HTTP and WebSockets at an IP address until SIGTERM or SIGINT; the latter raises KeyboardInterrupt.

    on_ready: called once the port is open. Raises PortTaken.
    """
    from daphne.server import Server  # installs its event loop when imported, before anything of Twisted

    _set_up()
    from runicorn_site.databases import index_file
    from runicorn_site.index_watch import watch_index

    application = importlib.import_module("runicorn_site.asgi").application
    interface = ip.replace(":", r"\:")
    endpoint = f"tcp:port={port}:interface={interface}"
    server = Server(application, endpoints=[endpoint], server_name="runicorn", ready_callable=on_ready)
    watch_index(index_file())
    # The server stops in good order on SIGTERM; it leaves SIGINT alone if somebody else handles it.
    stop = _Stop.on_signals(and_then=lambda: os.kill(os.getpid(), signal.SIGTERM))
    server.run()
    if not server.listening_addresses:
        raise PortTaken(f"Port {port} on {ip} is in use; choose another one with --port.")
    stop.raise_if_interrupted()


def mirror() -> None:
    """Keep the index in step with the run directories until SIGTERM or SIGINT; the latter raises KeyboardInterrupt.

    One process at a time does this for an index; a second one stands by and takes over when the first is gone.
    """
    stop = _Stop.on_signals()
    _set_up()
    from filelock import Timeout

    from experiments.mirror.loop import run_mirror
    from runicorn_site.databases import index_file, mirror_lock
    from runicorn_site.index_watch import watch_index
    from runicorn_site.mirror import MIRRORS

    watch_index(index_file())
    lock = mirror_lock()
    announced = False
    while not stop.event.is_set():
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not announced:
                sys.stderr.write("Another mirror process keeps this index; standing by.\n")
            announced = True
            stop.event.wait(STANDBY_INTERVAL_S)
            continue
        try:
            run_mirror(MIRRORS, stop=stop.event)
        finally:
            lock.release()
    stop.raise_if_interrupted()


def reindex() -> int:
    """Delete the index, build it anew from the run directories, and return how many runs it has.

    Raises Conflict while a mirror process keeps the index, KeyboardInterrupt when told to stop.
    """
    stop = _Stop.on_signals()
    _set_up()
    from django.conf import settings

    from experiments.mirror.loop import ensure_local_root, mirror_once
    from experiments.models import Run
    from runicorn_site.databases import replace_index, sole_mirror
    from runicorn_site.mirror import MIRRORS

    with sole_mirror():
        replace_index()
        root = ensure_local_root(settings.RUNICORN_STORAGE_ROOT)
        while mirror_once(MIRRORS, root, now=time.time(), stop=stop.event):
            pass
    if stop.event.is_set():
        raise KeyboardInterrupt
    return Run.objects.filter(root=root).count()


@dataclass
class _Stop:
    """That this process was told to end, and whether by Ctrl-C."""

    event: threading.Event = field(default_factory=threading.Event)
    interrupted: bool = False

    @classmethod
    def on_signals(cls, *, and_then: Callable[[], None] = lambda: None) -> _Stop:
        """Handle SIGTERM and SIGINT from now on; ``and_then`` is called by the handler of SIGINT."""
        stop = cls()

        def handle(number: int, _frame: FrameType | None) -> None:
            # Not set right here: the handler interrupts this very thread, which may hold the event's lock.
            threading.Thread(target=stop.event.set).start()
            if number == signal.SIGINT:
                stop.interrupted = True
                and_then()

        signal.signal(signal.SIGTERM, handle)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # under the supervisor Ctrl-C is not ours
            signal.signal(signal.SIGINT, handle)
        return stop

    def raise_if_interrupted(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt


def _set_up() -> None:
    """Load Django and bring the databases up to date. Raises InvalidInput for settings that make no sense."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise InvalidInput(str(error)) from error
    from runicorn_site.databases import prepare

    prepare()
