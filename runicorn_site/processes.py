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
from pathlib import Path
from types import FrameType

from runicorn.cli.doctor.findings import Finding
from runicorn.errors import DatabaseUnavailable, InvalidInput, PortTaken

SETTINGS = "runicorn_site.settings"
#: How often a second mirror process looks whether the first has gone.
STANDBY_INTERVAL_S = 1.0


def serve(*, ip: str, port: int, on_ready: Callable[[str | None], None]) -> None:
    """Answer HTTP and WebSockets at an IP address until SIGTERM or SIGINT; the latter raises KeyboardInterrupt.

    on_ready: called once the port is open, with the path of a set-up link where people log in and there is no account
    yet. Raises PortTaken, InvalidInput if Redis was configured and does not answer, and Conflict if another web process
    of this storage root counts what this one would not see.
    """
    from runicorn_site.daphne_flow import make_server  # installs its event loop, before anything else of Twisted

    _set_up()
    from runicorn_site.databases import the_index
    from runicorn_site.index_watch import watch_index
    from runicorn_site.web_processes import among_the_web_processes

    _require_redis()
    with among_the_web_processes():
        application = importlib.import_module("runicorn_site.asgi").application
        set_up_path = _set_up_path()
        server = make_server(application, ip=ip, port=port, on_ready=lambda: on_ready(set_up_path))
        watch_index(the_index())
        # The server stops in good order on SIGTERM; it leaves SIGINT alone if somebody else handles it.
        stop = _Stop.on_signals(and_then=lambda: os.kill(os.getpid(), signal.SIGTERM))
        server.run()
    if not server.listening_addresses:
        raise PortTaken(f"Port {port} on {ip} is in use; choose another one with --port.")
    stop.raise_if_interrupted()


def _require_redis() -> None:
    from django.conf import settings

    from runicorn_site.redis_server import require_redis

    if settings.RUNICORN_REDIS_URL is not None:
        require_redis(settings.RUNICORN_REDIS_URL)


def _set_up_path() -> str | None:
    """Where the first account is made, if people log in and there is none."""
    from django.conf import settings
    from django.urls import reverse
    from django.utils import timezone

    from experiments.accounts.services import new_set_up_link

    secret = new_set_up_link(at=timezone.now()) if settings.RUNICORN_LOGIN_REQUIRED else None
    return None if secret is None else reverse("set_up", args=[secret])


def mirror() -> None:
    """Keep the index in step with the run directories until SIGTERM or SIGINT; the latter raises KeyboardInterrupt.

    One process at a time does this for an index; a second one stands by and takes over when the first is gone.
    """
    stop = _Stop.on_signals()
    _set_up()
    from runicorn_site.databases import the_index
    from runicorn_site.index_watch import watch_index

    watch_index(the_index())
    while not stop.event.is_set():
        try:
            _keep_index(stop.event)
        except DatabaseUnavailable as error:
            sys.stderr.write(f"{error} Trying again.\n")
            stop.event.wait(STANDBY_INTERVAL_S)
    stop.raise_if_interrupted()


def _keep_index(stop: threading.Event) -> None:
    """Be the mirror process for as long as the lock lasts; before that, stand by. Raises DatabaseUnavailable."""
    from experiments.mirror.loop import run_mirror
    from runicorn_site.databases import the_index
    from runicorn_site.mirror import MIRRORS

    lock = the_index().mirror_lock()
    announced = False
    while not lock.acquire(timeout_s=0):
        if not announced:
            sys.stderr.write("Another mirror process keeps this index; standing by.\n")
        announced = True
        if stop.wait(STANDBY_INTERVAL_S):
            return
    try:
        run_mirror(MIRRORS, stop=stop, may_write=lock.is_held)
    finally:
        lock.release()


def reindex() -> tuple[int, int]:
    """Delete the index, build it anew from the storage root; returns how many runs and how many artifacts it has.

    Raises Conflict while a mirror process keeps the index, KeyboardInterrupt when told to stop.
    """
    stop = _Stop.on_signals()
    _set_up(claim=False)
    from artifacts.models import Artifact
    from experiments.mirror.loop import mirror_once
    from experiments.mirror.roots import ensure_local_root
    from experiments.models import Run
    from runicorn_site.databases import replace_index, sole_mirror
    from runicorn_site.mirror import MIRRORS

    with sole_mirror():
        replace_index()
        root = ensure_local_root(now=time.time())
        while mirror_once(MIRRORS, root, now=time.time(), stop=stop.event):
            pass
    if stop.event.is_set():
        raise KeyboardInterrupt
    return Run.objects.filter(root=root).count(), Artifact.objects.filter(root=root).count()


def examine(root: Path, *, is_served: bool) -> list[Finding]:
    """What is wrong with the viewer's side of an installation; changes nothing.

    is_served: whether a viewer of this storage root answers.
    """
    from runicorn_site import doctor

    return doctor.examine(root, is_served=is_served, set_up=_load_django)


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


def _set_up(*, claim: bool = True) -> None:
    """Load Django and bring the databases up to date. Raises InvalidInput for settings that make no sense."""
    _load_django()
    from runicorn_site.databases import prepare

    prepare(claim=claim)


def _load_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise InvalidInput(str(error)) from error
