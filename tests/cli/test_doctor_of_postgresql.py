"""What `runicorn doctor` says about PostgreSQL, and what the start says where it cannot be used; with a real one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from runicorn_site.postgresql_server import OLDEST_SERVER, problems
from tests.command_line import runicorn, running_viewer, wait_until, write_run
from tests.databases import fresh_database

SUBJECTS = ("PostgreSQL", "accounts", "index", "mirror")
Findings = list[tuple[str, str]]


def doctor(folder: Path, url: str) -> tuple[int, Findings]:
    """The exit code, and subject and message of what is said about the databases; an error has its way out, too."""
    done = runicorn("doctor", "--storage", "root", "--json", folder=folder, RUNICORN_DATABASE_URL=url)
    assert done.stderr == ""
    assert "secret-word" not in done.stdout
    findings = [each for each in json.loads(done.stdout)["findings"] if each["subject"] in SUBJECTS]
    return done.returncode, [(each["subject"], f"{each['message']} {each['way_out']}".strip()) for each in findings]


def the_error(folder: Path, url: str) -> str:
    """What is wrong; the same ends a start."""
    code, ((subject, text),) = doctor(folder, url)
    assert (code, subject) == (1, "PostgreSQL")
    started = runicorn("reindex", "--storage", "root", folder=folder, RUNICORN_DATABASE_URL=url)
    assert started.returncode == 1
    assert started.stderr.startswith("Error: ")
    assert len(started.stderr.splitlines()) == 1
    assert "secret-word" not in started.stderr
    return text


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_one_that_is_empty_can_be_used_and_stays_empty(tmp_path: Path):
    with fresh_database(is_migrated=False) as url:
        code, ((subject, text),) = doctor(tmp_path, url)

        with psycopg.connect(url) as connection:
            version = connection.info.parameter_status("server_version")
            tables = connection.execute("SELECT FROM pg_tables WHERE schemaname NOT LIKE ALL ('{pg\\_%,inf%}')")
            assert tables.fetchall() == []
            assert connection.execute("SELECT to_regnamespace('runicorn_index')").fetchone() == (None,)
    assert (code, subject) == (0, "PostgreSQL")
    assert text.endswith(f"can be used; version {(version or '').split()[0]}.")
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_running_viewer_is_up_to_date_and_has_a_mirror(tmp_path: Path):
    write_run(tmp_path / "root")
    with fresh_database(is_migrated=False) as url:
        with running_viewer("--storage", "root", folder=tmp_path, RUNICORN_DATABASE_URL=url) as viewer:
            wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
            while_it_runs = doctor(tmp_path, url)
        afterwards = doctor(tmp_path, url)

    expected = [
        ("accounts", "The schema of the accounts is up to date."),
        ("index", "The schema runicorn_index is up to date."),
    ]
    mirror = ("mirror", "A mirror process keeps the index in step with the runs.")
    assert (while_it_runs[0], while_it_runs[1][1:]) == (0, [*expected, mirror])
    assert (afterwards[0], afterwards[1][1:3], afterwards[1][3] == mirror) == (0, expected, False)


@contextmanager
def prepared(folder: Path) -> Iterator[str]:
    """A database with the tables and the index of the root below ``folder``."""
    (folder / "root").mkdir()
    with fresh_database(is_migrated=False) as url:
        done = runicorn("reindex", "--storage", "root", folder=folder, RUNICORN_DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        yield url


def test_tables_of_a_newer_version_are_an_error_but_an_index_is_built_anew(tmp_path: Path):
    with prepared(tmp_path) as url:
        for schema, app in (("public", "auth"), ("runicorn_index", "experiments")):
            execute(url, f"INSERT INTO {schema}.django_migrations VALUES (9999, '{app}', '9999_later', now())")

        code, findings = doctor(tmp_path, url)

    assert code == 1
    assert findings[1][1].startswith("The schema of the accounts was made by a newer version of Runicorn (auth.9999_l")
    assert findings[2][1] == "The schema runicorn_index was made by another version; the next start builds it anew."


def test_tables_of_an_older_version_are_brought_up_to_date_by_the_next_start(tmp_path: Path):
    with prepared(tmp_path) as url:
        execute(url, "DELETE FROM django_migrations WHERE app = 'sessions'", "DROP SCHEMA runicorn_index CASCADE")

        code, findings = doctor(tmp_path, url)

    assert code == 0
    assert findings[1][1].endswith("is of an older version; the next start brings it up to date.")
    assert findings[2][1] == "Its tables are not there yet; the next start makes them."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://ana:secret-word@127.0.0.1:1/runs",
            "The PostgreSQL database runs at 127.0.0.1:1 does not",
        ),
        ("postgresql://ana:secret-word@127.0.0.1", "RUNICORN_DATABASE_URL names no database"),
        ("mysql://ana:secret-word@127.0.0.1/runs", "RUNICORN_DATABASE_URL does not begin with postgresql://"),
    ],
)
def test_one_that_does_not_answer_or_makes_no_sense(tmp_path: Path, url: str, message: str):
    assert the_error(tmp_path, url).startswith(message)


def test_one_that_holds_the_index_of_another_root(tmp_path: Path):
    with fresh_database(is_migrated=False) as url:
        execute(url, "CREATE SCHEMA runicorn_index", "COMMENT ON SCHEMA runicorn_index IS '/srv/other'")

        code, ((_, text),) = doctor(tmp_path, url)

    assert code == 1
    assert f"the index of the storage root /srv/other, and this one is {tmp_path / 'root'}." in text
    assert "run `runicorn reindex`" in text


@pytest.mark.parametrize(
    ("change", "message", "way_out"),
    [
        (
            "ALTER DATABASE {database} SET default_transaction_read_only = on",
            "takes no changes",
            "name the primary in RUNICORN_DATABASE_URL",
        ),
        (
            "ALTER DATABASE {database} SET search_path = nowhere",
            "tables in any schema of its search path",
            "OWNER",
        ),
    ],
)
def test_one_in_which_no_tables_can_be_made(tmp_path: Path, change: str, message: str, way_out: str):
    with fresh_database(is_migrated=False) as url:
        execute(url, change.format(database=urlsplit(url).path.lstrip("/")))

        text = the_error(tmp_path, url)

    assert message in text
    assert way_out in text


def test_one_of_another_encoding(tmp_path: Path):
    with fresh_database(is_migrated=False, encoding="LATIN1") as url:
        assert "keeps texts as LATIN1" in the_error(tmp_path, url)


def test_a_user_who_may_make_nothing_there_is_told_what_the_administrator_does(tmp_path: Path):
    with fresh_database(is_migrated=False) as url, user(url) as (name, of_user):
        execute(url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")  # as since version 15
        code, findings = doctor(tmp_path, of_user)
        refused = [text for subject, text in findings if subject == "PostgreSQL"]
        execute(url, f"ALTER DATABASE {urlsplit(url).path.lstrip('/')} OWNER TO {name}")
        execute(url, f"ALTER SCHEMA public OWNER TO {name}")  # before 15 that of a database is not its owner's
        afterwards = doctor(tmp_path, of_user)

        assert code == 1
        assert [f"let {name} make tables in the schema public" in text for text in refused] == [True, False]
        assert f"let {name} make the schema of the index" in refused[1]
        assert all(f"ALTER DATABASE {urlsplit(url).path.lstrip('/')} OWNER TO {name}" in text for text in refused)
        assert afterwards[0] == 0


def test_tables_that_another_user_made_are_an_error_until_he_shares_them(tmp_path: Path):
    with prepared(tmp_path) as url, user(url) as (name, of_user):
        execute(url, f"GRANT CREATE ON DATABASE {urlsplit(url).path.lstrip('/')} TO {name}")
        execute(url, f"GRANT CREATE ON SCHEMA public TO {name}")
        with psycopg.connect(url) as connection:
            maker = connection.info.user

        assert f"has tables of {maker}, which {name} may not change. Name {maker} in" in the_error(tmp_path, of_user)


@pytest.mark.parametrize(("version", "is_usable"), [(OLDEST_SERVER - 1, False), (OLDEST_SERVER, True)])
def test_a_server_is_asked_for_its_version_first(version: int, is_usable: bool, monkeypatch: pytest.MonkeyPatch):
    with fresh_database(is_migrated=False) as url, psycopg.connect(url) as connection:
        monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", version)

        found = [problem.message for problem in problems(connection, "It")]

    assert found == ([] if is_usable else ["It is PostgreSQL 13.9999."])


@contextmanager
def user(url: str) -> Iterator[tuple[str, str]]:
    """A user of the server with no rights, and the same database as that user reaches it."""
    name = f"runicorn_test_user_{uuid.uuid4().hex[:8]}"
    execute(url, f"CREATE ROLE {name} LOGIN PASSWORD 'secret-word'")
    parts = urlsplit(url)
    try:
        yield name, parts._replace(netloc=f"{name}:secret-word@{parts.netloc.rpartition('@')[2]}").geturl()
    finally:
        # what it owns has to be somebody else's first
        execute(url, f"REASSIGN OWNED BY {name} TO CURRENT_USER", f"DROP OWNED BY {name}", f"DROP ROLE {name}")
