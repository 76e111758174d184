"""What lies in the two SQLite files."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import filelock

from runicorn.cli.doctor.findings import Finding, error, ok, warning
from runicorn.storage.filesystems import is_on_network
from runicorn_site.doctor import versions
from runicorn_site.doctor.versions import Migrations

#: A quick check that takes longer is broken off: an index of gigabytes would take minutes.
QUICK_CHECK_S = 10.0
_PROGRESS_STEPS = 100_000


class SqliteFiles:
    def __init__(self, *, accounts: Path, index: Path) -> None:
        self._accounts = accounts
        self._index = index

    def accounts(self) -> Iterator[Finding]:
        file = self._accounts
        if not file.exists():
            yield ok("accounts", f"{file} is not there yet; the next start makes it.")
            return
        try:
            applied = _applied_if_sound(file)
        except sqlite3.DatabaseError as problem:
            way_out = "Stop the viewer and put a copy of it back; without one, move it away: accounts are made anew."
            yield error("accounts", f"{file} is damaged: {problem}.", way_out)
        else:
            yield versions.of_accounts(str(file), applied, state="sound and ")

    def index(self) -> Iterator[Finding]:
        file = self._index
        if is_on_network(file):
            yield warning(
                "index",
                f"{file} lies on a network disk, whose locks SQLite cannot rely on.",
                "Set XDG_CACHE_HOME to a folder on a local disk.",
            )
        if not file.exists():
            yield ok("index", f"{file} is not there yet; the next start makes it.")
            return
        try:
            applied = _applied_if_sound(file)
        except sqlite3.DatabaseError as problem:
            way_out = "Stop the viewer and run `runicorn reindex`; no run is lost."
            yield error("index", f"{file} is damaged: {problem}.", way_out)
        else:
            yield versions.of_index(str(file), applied, state="sound and ")

    def has_mirror(self) -> bool:
        lock = self._index.with_name("index.mirror.lock")
        if not lock.exists():
            return False
        try:
            with filelock.FileLock(lock, timeout=0):
                return False
        except filelock.Timeout:
            return True


def _applied_if_sound(file: Path) -> Migrations:
    """The migrations that made a database. Raises sqlite3.DatabaseError if it is damaged."""
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=10)) as connection:
        deadline = time.monotonic() + QUICK_CHECK_S
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
        try:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as problem:
            if "interrupted" not in str(problem):
                raise
            answer = "ok"  # as far as it came
        if answer != "ok":
            raise sqlite3.DatabaseError(answer.replace("\n", " "))
        connection.set_progress_handler(None, 0)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'django_migrations'").fetchall()
        return set(connection.execute("SELECT app, name FROM django_migrations")) if tables else set()
