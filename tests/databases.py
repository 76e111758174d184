"""PostgreSQL for the tests: databases of their own, dropped afterwards.

A run of the suite with RUNICORN_TEST_DATABASE=postgresql takes the tests that touch a database, and those that start a
viewer, and gives each user of theirs a database there instead of two SQLite files (docs/design/0014-two-databases.md).
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.components import postgresql_address, postgresql_server, suite_is_on_postgresql

CHECKOUT = Path(__file__).resolve().parents[1]
PREFIX = "runicorn_test_"
#: Who has one of these starts processes of the viewer.
STARTERS = {"running_server", "running_viewer", "running", "runicorn"}
#: Tests of commands, packages and whole lives of a viewer run once: test_one_viewer_of_three.py has its own PostgreSQL.
ONCE = {"cli", "packaging", "main_job"}
#: Of the browser tests one opens every page; what the others hold happens in the browser.
BROWSER_TEST = "test_every_page_opens_cleanly[1600-light-en-US]"


class TestDatabases:
    """Those of one process of the suite. Its connection says that it lives: what the dead left is dropped."""

    __test__ = False

    def __init__(self) -> None:
        self._session = f"{PREFIX}{uuid.uuid4().hex[:12]}"
        self._numbers = count()
        self._names: set[str] = set()
        self._of_folder: dict[Path, str] = {}
        self._template: str | None = None
        self._connection: psycopg.Connection[Any] | None = None
        #: The one of the tests that use Django in this process; made by ``create_own``.
        self.own_url = self._url(f"{self._session}_own")

    def create_own(self) -> None:
        self._create(f"{self._session}_own", is_migrated=True)

    def of_folder(self, folder: Path) -> str:
        """The address of the database of a user whose home is ``folder``, made when it is first asked for."""
        if folder not in self._of_folder:
            self._of_folder[folder] = self.create(is_migrated=True)
        return self._of_folder[folder]

    def create(self, *, is_migrated: bool, encoding: str | None = None) -> str:
        """The address of a new database. is_migrated: with the tables of this version; they are nobody's yet.

        encoding: another than the server's own.
        """
        name = f"{self._session}_{next(self._numbers)}"
        return self._create(name, is_migrated=is_migrated, encoding=encoding)

    def drop(self, url: str) -> None:
        self._drop(urlsplit(url).path.lstrip("/"))

    def drop_all(self) -> None:
        for name in [*self._names]:
            self._drop(name)
        if self._connection is not None:
            self._connection.close()

    def _create(self, name: str, *, is_migrated: bool, encoding: str | None = None) -> str:
        template = self._migrated_template() if is_migrated else "template1" if encoding is None else "template0"
        self._names.add(name)
        encoded = f" ENCODING '{encoding}' LOCALE 'C'" if encoding else ""
        self._run(f"CREATE DATABASE {{}} TEMPLATE {{}}{encoded}", name, template)
        return self._url(name)

    def _migrated_template(self) -> str:
        if self._template is None:
            name = f"{self._session}_template"
            url = self._create(name, is_migrated=False)
            # by another process: a database to which somebody is connected cannot be copied
            code = "import django; django.setup(); from runicorn_site.databases import prepare; prepare(claim=False)"
            settings = {"DJANGO_SETTINGS_MODULE": "runicorn_site.settings", "RUNICORN_DATABASE_URL": url}
            subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env={**os.environ, **settings}, check=True)
            with psycopg.connect(url) as connection:
                connection.execute("COMMENT ON SCHEMA runicorn_index IS NULL")
            self._template = name
        return self._template

    def _drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._names.discard(name)

    def _run(self, statement: str, *names: str) -> None:
        if self._connection is None:
            server = postgresql_server()
            self._connection = psycopg.connect(server, autocommit=True, application_name=self._session)
            self._drop_those_of_the_dead()
        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _drop_those_of_the_dead(self) -> None:
        assert self._connection is not None
        # in this order: whoever has a database is connected already
        names = self._connection.execute("SELECT datname FROM pg_database").fetchall()
        living = {name for (name,) in self._connection.execute("SELECT application_name FROM pg_stat_activity")}
        for (name,) in names:
            if name.startswith(PREFIX) and name.rpartition("_")[0] not in living:
                self._drop(name)

    @staticmethod
    def _url(name: str) -> str:
        return urlsplit(postgresql_address())._replace(path=f"/{name}").geturl()


@cache
def test_databases() -> TestDatabases:
    return TestDatabases()


test_databases.__test__ = False  # type: ignore[attr-defined]


@contextmanager
def fresh_database(*, is_migrated: bool = True, encoding: str | None = None) -> Iterator[str]:
    """The address of a PostgreSQL database that nobody else uses, gone afterwards. Skips or fails without a server."""
    url = test_databases().create(is_migrated=is_migrated, encoding=encoding)
    try:
        yield url
    finally:
        test_databases().drop(url)


def database_of(folder: Path) -> dict[str, str]:
    """The variable that tells the processes of a user whose home is ``folder`` where their database is, if one does."""
    return {"RUNICORN_DATABASE_URL": test_databases().of_folder(folder)} if suite_is_on_postgresql() else {}


def is_for_both(item: pytest.Item) -> bool:
    """Whether a test touches a database in a way that may come out differently on PostgreSQL."""
    assert isinstance(item, pytest.Function)
    if item.get_closest_marker("once") is not None or ONCE & set(item.path.parts):
        return False
    if "browser" in item.path.parts:
        return item.name == BROWSER_TEST
    if item.get_closest_marker("django_db") is not None or {"db", "transactional_db"} & set(item.fixturenames):
        return True
    fixtures = [each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found]
    return any(STARTERS & set(function.__globals__) for function in (item.function, *fixtures))
