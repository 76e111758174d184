"""The mirror process: looks at every root again and again, and writes what changed in short transactions."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from django.conf import settings
from django.db import close_old_connections

from experiments.database_errors import is_unavailable
from experiments.mirror.liveness import check_running_runs
from experiments.mirror.roots import UserRootWatch, ensure_local_root
from experiments.mirror.sizes import SizeMeter, note_free_space
from experiments.models import Change, StorageRoot

logger = logging.getLogger(__name__)

#: From a point in a file to a notice in a browser: this, the feed's 100 ms, and the work itself.
TICK_S = 0.3
#: While nothing trains: 2 % of a core over 10,000 runs instead of 6 %.
IDLE_TICK_S = 1.0
#: Between two transactions, so that a writer in another process gets its turn.
PAUSE_S = 0.01
LIVENESS_EVERY_S = 10.0
#: How often runs are measured, and for how long: 2 % of a core while there is something to measure.
SIZES_EVERY_S, SIZES_BUDGET_S = 5.0, 0.1
TRIM_EVERY_S = 60.0
#: A page that was away for longer than this reloads instead of catching up.
FEED_KEPT_S = 600.0
#: After an error the mirror starts afresh from the rows, this much later.
RETRY_S = 2.0
#: Parsing makes and drops hundreds of thousands of objects without cycles; the collector's defaults look at them all.
GC_THRESHOLD = 200_000


class Mirror(Protocol):
    """What an app hands over to be kept in step: ``scan`` and ``tidy`` look, ``apply`` writes in one transaction."""

    def scan(self, root: StorageRoot, *, now: float) -> Iterable[list]: ...  # type: ignore[type-arg]  # each its own kind
    def apply(self, root: StorageRoot, updates: list, *, now: float) -> None: ...  # type: ignore[type-arg]
    def tidy(self, root: StorageRoot, *, now: float) -> Iterable[None]: ...
    def is_behind(self, root: StorageRoot) -> bool: ...
    def is_live(self, root: StorageRoot, *, now: float) -> bool: ...
    def forget(self) -> None: ...


def run_mirror(
    mirrors: Sequence[Mirror], *, stop: threading.Event, may_write: Callable[[], bool] = lambda: True
) -> None:
    """Keep the index in step until ``stop`` is set. An error is logged, and the work begins again from the rows.

    may_write: asked before each tick; once it says no, this is over: another process may keep the index now.
    """
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    next_liveness = next_trim = next_sizes = 0.0
    meter = SizeMeter()
    watch = UserRootWatch() if settings.RUNICORN_FOLLOWS_USER_ROOT else None
    while not stop.is_set() and may_write():
        started = time.monotonic()
        try:
            behind = live = False
            if watch is not None:
                watch.follow(now=time.time())
            for root in roots_to_mirror(now=time.time()):
                behind = mirror_once(mirrors, root, now=time.time(), stop=stop) or behind
                live = live or any(mirror.is_live(root, now=time.time()) for mirror in mirrors)
                if started >= next_liveness and not behind:
                    check_running_runs(root, now=time.time())
                if started >= next_sizes and not behind:
                    meter.measure(root, now=time.time(), budget_s=SIZES_BUDGET_S)
                if started >= next_trim:
                    note_free_space(root)
            if started >= next_liveness and not behind:
                next_liveness = started + LIVENESS_EVERY_S
            if started >= next_sizes and not behind:
                next_sizes = started + SIZES_EVERY_S
            if started >= next_trim:
                next_trim = started + TRIM_EVERY_S
                trim_feed(now=time.time())
        except Exception as error:
            if is_unavailable(error):
                logger.warning("The database does not answer (%s); the mirror begins again in %s s.", error, RETRY_S)
            else:
                logger.exception("The mirror failed and begins again in %s s.", RETRY_S)
            close_old_connections()
            _forget(mirrors)
            stop.wait(RETRY_S)
            continue
        interval = PAUSE_S if behind else TICK_S if live else IDLE_TICK_S
        stop.wait(max(PAUSE_S, interval - (time.monotonic() - started)))
    _forget(mirrors)  # whoever keeps the index next may change what we remember


def _forget(mirrors: Sequence[Mirror]) -> None:
    for mirror in mirrors:
        mirror.forget()


def mirror_once(
    mirrors: Sequence[Mirror], root: StorageRoot, *, now: float, stop: threading.Event | None = None
) -> bool:
    """One tick over one root. Returns whether there is more to do at once. now: Unix seconds."""
    stop = stop or threading.Event()
    behind = False
    for mirror in mirrors:
        for updates in mirror.scan(root, now=now):
            mirror.apply(root, updates, now=now)
            if stop.wait(PAUSE_S):
                return False
        for _ in mirror.tidy(root, now=now):
            if stop.wait(PAUSE_S):
                return False
        behind = mirror.is_behind(root) or behind
    if not behind and root.scanned_at is None:
        StorageRoot.objects.filter(pk=root.pk).update(scanned_at=now)
    return behind


def roots_to_mirror(*, now: float) -> list[StorageRoot]:
    """The enabled roots, the local one among them. now: Unix seconds."""
    ensure_local_root(now=now)
    return list(StorageRoot.objects.filter(enabled=True))


def trim_feed(*, now: float) -> None:
    """Drop what every reader has seen long ago, but for the newest row. now: Unix seconds."""
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        Change.objects.filter(at__lt=now - FEED_KEPT_S, pk__lt=newest).delete()
