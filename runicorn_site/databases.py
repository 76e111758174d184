"""Brings both databases up to this version before a process uses them.

The index is disposable: one that another version wrote, or that is no database at all, is emptied and built anew from
the run directories. The default database is migrated and never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Protocol

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from runicorn.errors import Conflict
from runicorn_site.process_lock import ProcessLock
from runicorn_site.routers import INDEX_APPS

#: Two processes start at once, and one waits while the other migrates.
PREPARE_TIMEOUT_S = 60.0
#: A mirror process whose index was deleted under it lets go within a second or two.
TAKEOVER_TIMEOUT_S = 5.0


class Index(Protocol):
    """What differs between an index in SQLite and one in PostgreSQL."""

    #: For messages: which index this is.
    place: str

    def require_usable(self) -> None: ...
    def migration_lock(self, database: str) -> ProcessLock: ...
    def mirror_lock(self) -> ProcessLock: ...
    def claim(self) -> None: ...
    def emptied(self) -> AbstractContextManager[None]: ...
    def identity(self) -> object: ...


@cache
def the_index() -> Index:
    # the modules of the other database are not loaded
    if connections["index"].vendor == "postgresql":
        from runicorn_site.index_postgresql import PostgresqlIndex

        return PostgresqlIndex(settings.RUNICORN_STORAGE_ROOT)
    from runicorn_site.index_sqlite import SqliteIndex

    return SqliteIndex()


def prepare(*, claim: bool = True) -> None:
    """Migrate both databases; replace an index of another version. Safe when several processes call it at once.

    claim: False for who replaces the index afterwards, whosever it is.
    Raises Conflict if the index is another storage root's, if it must be replaced while a mirror process keeps it, or
    if another process has been migrating for a minute; InvalidInput if the database cannot be used; DatabaseUnavailable
    if its server does not answer.
    """
    the_index().require_usable()
    with _held(the_index().migration_lock("default")):
        if _is_behind("default"):
            call_command("migrate", database="default", verbosity=0, interactive=False)
    with _held(the_index().migration_lock("index")):
        if claim:
            the_index().claim()
        if not _index_is_current():
            with sole_mirror(timeout_s=TAKEOVER_TIMEOUT_S):
                replace_index()


def replace_index() -> None:
    """Empty the index. The caller holds ``sole_mirror``."""
    with the_index().emptied():
        call_command("migrate", database="index", verbosity=0, interactive=False)


@contextmanager
def sole_mirror(*, timeout_s: float = 0) -> Iterator[None]:
    """Be the one process that may replace the index. Raises Conflict if a mirror process keeps it for that long."""
    lock = the_index().mirror_lock()
    if not lock.acquire(timeout_s=timeout_s):
        raise Conflict(
            f"A mirror process keeps the index ({the_index().place}); stop the viewer (or `runicorn mirror`) of this "
            f"storage root first."
        )
    try:
        yield
    finally:
        lock.release()


def _index_is_current() -> bool:
    """Whether exactly our migrations made the index. False for a new or unreadable one."""
    connection = connections["index"]
    try:
        applied = {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in INDEX_APPS}
        executor = MigrationExecutor(connection)
    except DatabaseError:
        return False
    return applied == {key for key in executor.loader.disk_migrations if key[0] in INDEX_APPS}


def _is_behind(database: str) -> bool:
    executor = MigrationExecutor(connections[database])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _held(lock: ProcessLock) -> Iterator[None]:
    if not lock.acquire(timeout_s=PREPARE_TIMEOUT_S):
        raise Conflict(f"Another process has held {lock.place} for a minute; stop it and try again.")
    try:
        yield
    finally:
        lock.release()
