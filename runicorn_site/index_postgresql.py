"""The index as a schema of a PostgreSQL database, beside the tables of accounts: docs/design/0014-two-databases.md."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections, transaction
from psycopg import sql

from experiments.postgresql import INDEX_SCHEMA, LOCK_CLASS, Lock, connection_arguments
from runicorn.errors import Conflict, DatabaseUnavailable
from runicorn_site.postgresql_server import claimed_by, is_same_folder, other_root, place_of, require_usable
from runicorn_site.process_lock import ProcessLock

#: How often a lock that somebody else holds is asked for again.
RETRY_S = 0.05


class AdvisoryLock:
    """Held by a connection of its own, and lost with it. shared: with all others that have it shared."""

    def __init__(self, lock: Lock, *, shared: bool = False) -> None:
        self.place = f"the lock {LOCK_CLASS}/{lock.value} of {place()}"
        self._lock = lock
        self._query = f"SELECT pg_try_advisory_lock{'_shared' if shared else ''}(%s, %s)"
        self._connection: psycopg.Connection[Any] | None = None

    def acquire(self, *, timeout_s: float) -> bool:
        """Raises DatabaseUnavailable."""
        deadline = time.monotonic() + timeout_s
        connection = connect()
        while not _ask(connection, self._query, (LOCK_CLASS, self._lock)):
            if time.monotonic() >= deadline:
                connection.close()
                return False
            time.sleep(RETRY_S)
        self._connection = connection
        return True

    def is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            return bool(_ask(self._connection, "SELECT true"))
        except psycopg.OperationalError:
            self.release()
            return False

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresqlIndex:
    """The schema says in its comment which storage root it is of, whatever version made its tables."""

    def __init__(self, root: Path) -> None:
        self.place = place()
        self._root = root
        self._watch: psycopg.Connection[Any] | None = None

    def require_usable(self) -> None:
        """Raises InvalidInput for a server or a database that cannot hold the tables, DatabaseUnavailable."""
        with connect("default") as connection:
            require_usable(connection, self.place)

    def migration_lock(self, _database: str) -> ProcessLock:
        return AdvisoryLock(Lock.MIGRATE)

    def mirror_lock(self) -> ProcessLock:
        return AdvisoryLock(Lock.MIRROR)

    def claim(self) -> None:
        """Make this database that of the storage root, if it is nobody's. Raises Conflict if it is another root's.

        What people recorded names runs by their path below the root, so two roots in one database would be mixed up. A
        root that somebody switched to while the viewer ran has its rows here already, and may be the one from now on.
        """
        with connect() as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {INDEX_SCHEMA}")
            problem = other_root(connection, self.place, self._root)
            if problem is not None:
                raise Conflict(f"{problem.message} {problem.way_out}")
            owner = claimed_by(connection)
            if owner is None or not is_same_folder(owner, self._root):
                connection.execute(self._claiming())

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Inside there is an empty schema; everybody else sees the old index until the block ends, then the new one."""
        with transaction.atomic(using="index"), connections["index"].cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {INDEX_SCHEMA} CASCADE")
            cursor.execute(f"CREATE SCHEMA {INDEX_SCHEMA}")
            cursor.execute(self._claiming())
            yield

    def identity(self) -> object:
        """Another value after the index was replaced: what processes remember of it is then untrue.

        Raises DatabaseUnavailable.
        """
        if self._watch is None:
            self._watch = connect()
        try:
            return _ask(self._watch, "SELECT oid FROM pg_namespace WHERE nspname = %s", (INDEX_SCHEMA,))
        except psycopg.OperationalError as error:
            self._watch.close()
            self._watch = None
            raise unavailable(error) from error

    def _claiming(self) -> sql.Composed:
        return sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(INDEX_SCHEMA), str(self._root))


def place() -> str:
    return place_of(connections["index"].settings_dict)


def connect(database: str = "index") -> psycopg.Connection[Any]:
    """A connection apart from Django's pool, each statement its own transaction. Raises DatabaseUnavailable."""
    try:
        return psycopg.connect(**connection_arguments(database), autocommit=True)
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> DatabaseUnavailable:
    reason = " ".join(str(error).split())
    return DatabaseUnavailable(f"{place()} does not answer: {reason}. Start it, or correct RUNICORN_DATABASE_URL.")


def _ask(connection: psycopg.Connection[Any], query: str, parameters: tuple[object, ...] = ()) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return None if row is None else row[0]
