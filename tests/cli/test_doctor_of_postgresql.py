"""What `runicorn doctor` says of PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.command_line import runicorn
from tests.components import postgresql_server
from tests.databases import fresh_database


def _findings(folder: Path, url: str) -> tuple[int, list[tuple[str, str]]]:
    """The exit code, and level and message of what is said about PostgreSQL."""
    (folder / "root").mkdir(exist_ok=True)
    done = runicorn("doctor", "--storage", "root", "--json", folder=folder, RUNICORN_DATABASE_URL=url)
    assert "Traceback" not in done.stderr
    assert "secret-word" not in done.stdout + done.stderr
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [(one["level"], one["message"]) for one in found if one["subject"] == "PostgreSQL"]


def test_one_that_can_be_used(tmp_path: Path):
    with fresh_database(is_migrated=False) as url:
        code, ((level, message),) = _findings(tmp_path, url)

        assert (code, level) == (0, "ok")
        assert "can be used" in message
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'runi%'").fetchall() == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://ana:secret-word@127.0.0.1:1/runs", "does not answer"),
        ("postgresql://ana:secret-word@127.0.0.1", "names no database"),
        ("mysql://ana:secret-word@127.0.0.1/runs", "does not begin with postgresql://"),
    ],
)
def test_one_that_does_not_answer_or_makes_no_sense(tmp_path: Path, url: str, message: str):
    code, ((level, said),) = _findings(tmp_path, url)

    assert (code, level) == (1, "error")
    assert message in said


def test_one_of_another_storage_root(tmp_path: Path):
    with fresh_database(is_migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA runicorn_index")
            connection.execute("COMMENT ON SCHEMA runicorn_index IS '/srv/other'")

        code, ((level, message),) = _findings(tmp_path, url)

    assert (code, level) == (1, "error")
    assert "the index of the storage root /srv/other" in message


def test_a_database_of_another_encoding(tmp_path: Path):
    name = "runicorn_test_latin"
    with psycopg.connect(postgresql_server(), autocommit=True) as server:
        for statement in (
            "DROP DATABASE IF EXISTS {}",
            "CREATE DATABASE {} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0",
        ):
            server.execute(sql.SQL(statement).format(sql.Identifier(name)))
        try:
            url = urlsplit(postgresql_server())._replace(path=f"/{name}").geturl()
            code, ((level, message),) = _findings(tmp_path, url)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    assert (code, level) == (1, "error")
    assert "keeps texts as LATIN1" in message
