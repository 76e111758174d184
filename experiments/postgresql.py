"""The names by which the viewer's processes meet in PostgreSQL, and connections apart from Django's.

psycopg itself is loaded only where it is used: SQLite files need none of it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from django.db import connections

#: The tables of the index have a schema of their own: it can be dropped without a look at what else is there.
INDEX_SCHEMA = "runicorn_index"
#: Notified by every transaction that adds to the change feed.
CHANNEL = "runicorn_changes"
#: The first half of our advisory locks' numbers ("Runi"), so that they are not those of another program.
LOCK_CLASS = 0x52756E69


class Lock(IntEnum):
    """The second half of an advisory lock's number."""

    MIGRATE = 1
    MIRROR = 2
    FEED = 3
    WEB = 4


def connection_arguments(database: str) -> dict[str, Any]:
    """What psycopg's ``connect`` takes to reach the same database as Django's connections do, without its pool."""
    parameters = connections[database].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in ("context", "cursor_factory")}
