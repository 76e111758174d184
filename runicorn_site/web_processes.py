"""The web processes of one storage root count together in Redis, or there is only one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connections

from runicorn import config
from runicorn.errors import Conflict
from runicorn_site.process_lock import ProcessLock, SharedFileLock

#: A web process that was told to end, or whose supervisor died, is gone after that long, and its lock with it.
PREDECESSOR_TIMEOUT_S = 5.0


@contextmanager
def among_the_web_processes() -> Iterator[None]:
    """Be a web process of the storage root: the only one, or one of those that count in Redis.

    Raises Conflict if another one counts for itself, or others count in Redis and this one would not.
    """
    shares = settings.RUNICORN_REDIS_URL is not None
    with ExitStack() as held:
        for lock in _locks(shared=shares):
            if not lock.acquire(timeout_s=PREDECESSOR_TIMEOUT_S):
                raise Conflict(_refusal(shares=shares))
            held.callback(lock.release)
        yield


def _locks(*, shared: bool) -> Iterator[ProcessLock]:
    """Of the index and not of the accounts: viewers of several storage roots run side by side."""
    folder = config.index_path(settings.RUNICORN_STORAGE_ROOT).parent
    yield SharedFileLock(folder / "index.web.lock", shared=shared)
    if connections["index"].vendor == "postgresql":
        from experiments.postgresql import Lock  # neither is loaded with SQLite
        from runicorn_site.index_postgresql import AdvisoryLock

        # of other hosts, too; and the file's as well, since a restart of the server lets go of this one
        yield AdvisoryLock(Lock.WEB, shared=shared)


def _refusal(*, shares: bool) -> str:
    root = settings.RUNICORN_STORAGE_ROOT
    if shares:
        return (
            f"A web process without RUNICORN_REDIS_URL serves {root}, and counts rate limits and attempts to log in "
            f"for itself. Stop it (`runicorn viewer` or `serve`), and start it again with the variable set."
        )
    return (
        f"Another web process serves {root}, and each would count rate limits and attempts to log in for itself. Stop "
        f"it (`runicorn viewer` or `serve`), or set RUNICORN_REDIS_URL to the same Redis for all of them."
    )
