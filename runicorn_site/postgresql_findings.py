"""What `runicorn doctor` says of the PostgreSQL that RUNICORN_DATABASE_URL names. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runicorn.cli.doctor.findings import Finding, error, ok

SUBJECT = "PostgreSQL"
VARIABLE = "RUNICORN_DATABASE_URL"
#: As the index asks for.
OLDEST_SERVER = 140000


def postgresql_findings(root: Path, url: str) -> Iterator[Finding]:
    """Whether the database at ``url`` can be used for this root. The url may hold a password: no message has it."""
    # not at the top: where the databases are files, neither is loaded
    import psycopg
    from django.core.exceptions import ImproperlyConfigured

    from runicorn_site.database_settings import CONNECT_TIMEOUT_S, postgresql

    try:
        postgresql(url)
    except ImproperlyConfigured as problem:
        yield error(SUBJECT, str(problem), f"Correct {VARIABLE}.")
        return
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True) as connection:
            yield from _of_server(connection, root)
    except psycopg.OperationalError as problem:
        reason = " ".join(str(problem).split())
        yield error(SUBJECT, f"It does not answer: {reason}", f"Start the server, or correct {VARIABLE}.")


def _of_server(connection: Any, root: Path) -> Iterator[Finding]:
    from experiments.postgresql import INDEX_SCHEMA

    version, database = connection.info.server_version, connection.info.dbname
    if version < OLDEST_SERVER:
        yield error(SUBJECT, f"The server has version {version // 10000}.", "Update it to PostgreSQL 14 or newer.")
        return
    (encoding, may_create, owner) = connection.execute(
        "SELECT current_setting('server_encoding'),"
        " has_database_privilege(current_database(), 'CREATE') AND has_schema_privilege('public', 'CREATE'),"
        " (SELECT obj_description(oid) FROM pg_namespace WHERE nspname = %s)",
        (INDEX_SCHEMA,),
    ).fetchone()
    if encoding != "UTF8":
        yield error(
            SUBJECT,
            f"The database {database} keeps texts as {encoding}, which has no place for many of them.",
            f"Make another one: createdb {database} --encoding UTF8 --template template0.",
        )
    elif not may_create:
        user = connection.info.user
        yield error(
            SUBJECT,
            f"The user {user} may not make tables in the database {database}.",
            f"As an administrator: ALTER DATABASE {database} OWNER TO {user}.",
        )
    elif owner is not None and os.path.realpath(owner) != os.path.realpath(root):
        yield error(
            SUBJECT,
            f"The database {database} holds the index of the storage root {owner}.",
            "Give each root a database of its own; or, if the folder has moved, run `runicorn reindex` for it.",
        )
    else:
        yield ok(SUBJECT, f"The database {database} of version {version // 10000} answers and can be used.")
