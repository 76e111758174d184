"""Whether the PostgreSQL of RUNICORN_DATABASE_URL can be used; asked at the start and by `runicorn doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from experiments.postgresql import INDEX_SCHEMA
from runicorn.errors import InvalidInput

#: What Django asks for, and psycopg's pipelines.
OLDEST_SERVER = 140000
ENCODING = "UTF8"
_FACTS = """
    SELECT quote_ident(current_user),
        quote_ident(current_database()),
        current_setting('server_encoding'),
        current_setting('transaction_read_only') = 'on',
        current_schema(),
        has_schema_privilege(current_schema(), 'CREATE'),
        has_database_privilege(current_database(), 'CREATE')
"""
#: Whose the index and the table of migrations are, where that is not this user, nor a role that it is a member of.
_OWNERS = """
    SELECT quote_ident(pg_get_userbyid(nspowner)) FROM pg_namespace
        WHERE nspname = %s AND NOT pg_has_role(nspowner, 'USAGE')
    UNION
    SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
        WHERE oid = to_regclass('django_migrations') AND NOT pg_has_role(relowner, 'USAGE')
"""


@dataclass(frozen=True)
class Problem:
    """Why a database cannot be used, and what to do."""

    message: str
    way_out: str


def other_root(connection: psycopg.Connection[Any], place: str, root: Path) -> Problem | None:
    """That the database holds the index of another storage root, if it does.

    A root that somebody switched to while a viewer ran has its rows there as well, and is no other one.
    """
    owner = claimed_by(connection)
    if owner is None or is_same_folder(owner, root) or _was_shown(connection, root):
        return None
    return Problem(
        f"{place} holds the index of the storage root {owner}, and this one is {root}.",
        "Give each root a database of its own; or, if the folder has moved, run `runicorn reindex` for it.",
    )


def claimed_by(connection: psycopg.Connection[Any]) -> str | None:
    """The storage root that the index says it is of; None while there is none."""
    query = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"
    row = connection.execute(query, [INDEX_SCHEMA]).fetchone()
    return None if row is None else row[0]


def is_same_folder(one: str, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _was_shown(connection: psycopg.Connection[Any], root: Path) -> bool:
    table = sql.Identifier(INDEX_SCHEMA, "experiments_storageroot")
    row = connection.execute("SELECT to_regclass(%s)", [table.as_string(connection)]).fetchone()
    if row is None or row[0] is None:
        return False
    shown = sql.SQL("SELECT true FROM {} WHERE path = %s").format(table)
    return connection.execute(shown, [str(root)]).fetchone() is not None


def require_usable(connection: psycopg.Connection[Any], place: str) -> None:
    """Raises InvalidInput with the first problem."""
    for problem in problems(connection, place):
        raise InvalidInput(f"{problem.message} {problem.way_out}")


def problems(connection: psycopg.Connection[Any], place: str) -> Iterator[Problem]:
    """What keeps the database from holding accounts and index.

    connection: with the search path that the tables of accounts are looked up by, in no transaction.
    """
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        yield Problem(f"{place} is PostgreSQL {version_name(version)}.", "Update the server to 14 or newer.")
        return
    row = connection.execute(_FACTS).fetchone()
    assert row is not None
    user, database, encoding, is_read_only, schema, may_make_tables, may_make_schemas = row
    if encoding != ENCODING:
        message = f"{place} keeps texts as {encoding}, which has no place for many of them."
        yield Problem(message, "Make another one: createdb --encoding UTF8 --template template0.")
    if is_read_only:
        yield Problem(f"{place} takes no changes.", "It may be a standby; name the primary in RUNICORN_DATABASE_URL.")
        return
    way_out = f"As its administrator: ALTER DATABASE {database} OWNER TO {user}."
    if not may_make_tables:
        where = f"the schema {schema}" if schema else "any schema of its search path"
        yield Problem(f"{place} does not let {user} make tables in {where}.", way_out)
    if not may_make_schemas:
        yield Problem(f"{place} does not let {user} make the schema of the index.", way_out)
    for (owner,) in connection.execute(_OWNERS, [INDEX_SCHEMA]).fetchall():
        message = f"{place} has tables of {owner}, which {user} may not change."
        yield Problem(message, f"Name {owner} in RUNICORN_DATABASE_URL, or: GRANT {owner} TO {user}.")


def place_of(settings: Mapping[str, Any]) -> str:
    """The database for messages; without the password, and the user is nobody's business either.

    settings: those of an alias, as in Django's DATABASES.
    """
    server = ":".join(filter(None, (settings["HOST"] or "the local socket", settings["PORT"])))
    return f"The PostgreSQL database {settings['NAME']} at {server}"


def version_name(number: int) -> str:
    """What people call a version: 150002 is 15.2."""
    return f"{number // 10000}.{number % 10000}"
