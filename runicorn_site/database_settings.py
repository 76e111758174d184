"""Django's DATABASES: two SQLite files, or one PostgreSQL database. Both have the aliases ``default`` and ``index``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from experiments.postgresql import INDEX_SCHEMA

VARIABLE = "RUNICORN_DATABASE_URL"
_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLE = "postgresql://runicorn:password@127.0.0.1:5432/runicorn"
#: Connections that one process may use at once for each alias; a server takes 100 by default.
POOL_SIZE = 10
#: How long a request waits for a free connection, or for a server that is being restarted; as long as SQLite's lock.
POOL_TIMEOUT_S = 10
#: When the server comes back, the next request finds it: psycopg would go on waiting longer and longer.
RECONNECT_TIMEOUT_S = 2
CONNECT_TIMEOUT_S = 5


def sqlite_file(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # A request may hold no transaction while it renders: SQLite has one writer.
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": None,
        # each can be made without the other
        "TEST": {"DEPENDENCIES": []},
        "OPTIONS": {
            "timeout": 10,
            # A transaction that begins by reading and then writes would fail at once when another writer was faster.
            "transaction_mode": "IMMEDIATE",
            # 32 MiB of pages a connection: with the default of 2, each look at all of 10,000 runs reads every page anew
            # mmap: large columns of metrics are read from the kernel's pages instead of copied through that cache
            # [first chart of 1,000,000 records: 8 MB of steps in 18 to 55 ms instead of 136]
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;"
                "PRAGMA mmap_size=268435456;"
            ),
        },
    }


def postgresql(url: str) -> dict[str, dict[str, Any]]:
    """Both aliases in one database, the index in a schema of its own.

    Raises ImproperlyConfigured for a URL that cannot be meant, without repeating it: it may hold a password.
    """
    parameters = _parsed(url)
    settings = {
        "ENGINE": "runicorn_site.postgresql",
        "NAME": parameters.pop("dbname"),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": parameters.pop("port", ""),
        "ATOMIC_REQUESTS": False,
        # connections go back to the pool after each request, and are tried before the next one gets them
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"DEPENDENCIES": []},
    }
    given = parameters.pop("options", "")
    options = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": "runicorn",
        **parameters,
        "pool": {
            "min_size": 0,
            "max_size": POOL_SIZE,
            "timeout": POOL_TIMEOUT_S,
            "reconnect_timeout": RECONNECT_TIMEOUT_S,
        },
    }
    return {
        "default": {**settings, "OPTIONS": {**options, "options": given}},
        "index": {**settings, "OPTIONS": {**options, "options": f"{given} -c search_path={INDEX_SCHEMA}".strip()}},
    }


def _parsed(url: str) -> dict[str, Any]:
    # not at the top: psycopg is heavy, and most viewers never need it
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not url.startswith(_SCHEMES):
        raise ImproperlyConfigured(f"{VARIABLE} does not begin with postgresql://; write it as {_EXAMPLE}.")
    try:
        parameters = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise ImproperlyConfigured(
            f"{VARIABLE} is no address that PostgreSQL's own programs take; write it as {_EXAMPLE}, "
            "with %XX for the characters of a password that mean something in an address."
        ) from None
    if not parameters.get("dbname"):
        raise ImproperlyConfigured(f"{VARIABLE} names no database; write it as {_EXAMPLE}.")
    return parameters
