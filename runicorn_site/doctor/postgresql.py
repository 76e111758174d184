"""What lies in the PostgreSQL database of RUNICORN_DATABASE_URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

from experiments.postgresql import INDEX_SCHEMA, LOCK_CLASS, Lock
from runicorn.cli.doctor.findings import Finding, error, ok
from runicorn_site.database_settings import CONNECT_TIMEOUT_S, postgresql
from runicorn_site.doctor import versions
from runicorn_site.doctor.versions import Migrations
from runicorn_site.postgresql_server import other_root, place_of, problems, version_name

SUBJECT = "PostgreSQL"
_APPLIED = "SELECT app, name FROM {}"
_HAS_MIRROR = """
    SELECT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid, objid) = (%s::oid, %s::oid)
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""


class PostgresqlDatabase:
    """Each look has a connection of its own, as the settings of Django are not needed for that."""

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root

    def server(self) -> Iterator[Finding]:
        """Whether it can be used by the viewer of this root; also before the first start."""
        try:
            place = place_of(postgresql(self._url)["index"])
        except ImproperlyConfigured as problem:
            yield error(SUBJECT, str(problem), "Correct the variable, or unset it to keep SQLite files.")
            return
        try:
            connection = self._connect()
        except psycopg.OperationalError as problem:
            reason = " ".join(str(problem).split())
            way_out = "Start it or correct RUNICORN_DATABASE_URL; without that, SQLite files are used."
            yield error(SUBJECT, f"{place} does not answer: {reason}.", way_out)
            return
        with connection:
            wrong = [*problems(connection, place)]
            if (other := other_root(connection, place, self._root)) is not None:
                wrong.append(other)
            found = [error(SUBJECT, each.message, each.way_out) for each in wrong]
            version = version_name(connection.info.server_version)
        yield from found or [ok(SUBJECT, f"{place} can be used; version {version}.")]

    def accounts(self) -> Iterator[Finding]:
        applied = self._applied("django_migrations")
        if applied:
            yield versions.of_accounts("The schema of the accounts", applied)
        else:
            yield ok("accounts", "Their tables are not there yet; the next start makes them.")

    def index(self) -> Iterator[Finding]:
        applied = self._applied(INDEX_SCHEMA, "django_migrations")
        if applied:
            yield versions.of_index(f"The schema {INDEX_SCHEMA}", applied)
        else:
            yield ok("index", "Its tables are not there yet; the next start makes them.")

    def has_mirror(self) -> bool:
        with self._connect() as connection:
            row = connection.execute(_HAS_MIRROR, [LOCK_CLASS, Lock.MIRROR]).fetchone()
            return row is not None and bool(row[0])

    def _applied(self, *table: str) -> Migrations:
        """The migrations that made the tables; none where there are no tables."""
        name = sql.Identifier(*table)
        with self._connect() as connection:
            if _value(connection, "SELECT to_regclass(%s)", name.as_string(connection)) is None:
                return set()
            return set(connection.execute(sql.SQL(_APPLIED).format(name)).fetchall())

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="runicorn doctor"
        )


def _value(connection: psycopg.Connection[Any], query: str, parameter: str) -> Any:
    row = connection.execute(query, [parameter]).fetchone()
    return None if row is None else row[0]
