"""Brings both databases up to this version before a process uses them.

The index is disposable: one that another version wrote, or that is no database at all, is deleted and built anew from
the run directories. The default database is migrated and never deleted.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from filelock import FileLock, Timeout

from runicorn.errors import Conflict
from runicorn_site.routers import INDEX_APPS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Two processes start at once, and one waits while the other migrates.
PREPARE_TIMEOUT_S = 60.0
#: A mirror process whose index was deleted under it lets go within a second or two.
TAKEOVER_TIMEOUT_S = 5.0
#: What SQLite keeps beside a database file.
SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")


def prepare() -> None:
    """Migrate both databases; replace an index of another version. Safe when several processes call it at once.

    Raises Conflict if the index must be replaced while a mirror process keeps it, or if another process has been
    migrating for a minute.
    """
    with _held(_lock_beside("default", "migrate")):
        if _is_behind("default"):
            call_command("migrate", database="default", verbosity=0, interactive=False)
    with _held(_lock_beside("index", "migrate")):
        if not _index_is_current():
            with sole_mirror(timeout_s=TAKEOVER_TIMEOUT_S):
                replace_index()


def replace_index() -> None:
    """Delete the index and create an empty one. The caller holds ``sole_mirror``."""
    connections["index"].close()
    for suffix in SQLITE_SUFFIXES:
        with suppress(FileNotFoundError):
            Path(f"{index_file()}{suffix}").unlink()
    call_command("migrate", database="index", verbosity=0, interactive=False)


@contextmanager
def sole_mirror(*, timeout_s: float = 0) -> Iterator[None]:
    """Be the one process that may replace the index. Raises Conflict if a mirror process keeps it for that long."""
    lock = mirror_lock()
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout as error:
        raise Conflict(
            f"A mirror process keeps the index {index_file()}; stop the viewer (or `runicorn mirror`) of this storage "
            f"root first."
        ) from error
    try:
        yield
    finally:
        lock.release()


def mirror_lock() -> FileLock:
    """Held by the one process that writes the index."""
    return _lock_beside("index", "mirror")


def index_file() -> Path:
    return Path(connections["index"].settings_dict["NAME"])


def _index_is_current() -> bool:
    """Whether exactly our migrations made the index. False for a new or unreadable file."""
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


def _lock_beside(database: str, purpose: str) -> FileLock:
    return FileLock(Path(connections[database].settings_dict["NAME"]).with_name(f"{database}.{purpose}.lock"))


@contextmanager
def _held(lock: FileLock) -> Iterator[None]:
    try:
        lock.acquire(timeout=PREPARE_TIMEOUT_S)
    except Timeout as error:
        raise Conflict(f"Another process has held {lock.lock_file} for a minute; stop it and try again.") from error
    try:
        yield
    finally:
        lock.release()
