"""The viewer's side of `runicorn doctor`: settings, databases, the mirror, what browsers load. Changes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import filelock

from runicorn import config
from runicorn.cli.doctor.findings import Finding, error, examined, ok, warning
from runicorn.cli.processes import set_environment
from runicorn.errors import RunicornError
from runicorn.storage.filesystems import is_on_network
from runicorn_site.environment import database_url
from runicorn_site.postgresql_findings import SUBJECT, postgresql_findings
from runicorn_site.redis_server import redis_findings
from runicorn_site.routers import INDEX_APPS

SITE_DIR = Path(__file__).resolve().parent
#: One file of each browser library; scripts/build_assets.py makes them all at once.
ASSETS = ("tabler/tabler.min.css", "tabler/icons.svg", "htmx/htmx.min.js", "uplot/uPlot.esm.js")
#: A quick check that takes longer is broken off: an index of gigabytes would take minutes.
QUICK_CHECK_S = 10.0
_PROGRESS_STEPS = 100_000

Migrations = set[tuple[str, str]]


def examine(root: Path, *, is_served: bool, set_up: Callable[[], None]) -> list[Finding]:
    """set_up: loads Django; called only where that creates nothing, since settings make the folders they need."""
    findings = [*examined("browser files", _assets), *examined("Redis", redis_findings)]
    url = database_url()
    if url is not None:
        findings += examined(SUBJECT, lambda: postgresql_findings(root, url))
    key = config.named_data_dir() / "secret_key"
    folder = config.named_cache_dir() / config.root_digest(root)
    if not key.is_file() or not root.is_dir() or not (folder.is_dir() or url):
        if url is not None:
            return findings
        message = "There are none for this root yet; the first start of the viewer makes them."
        return [*findings, ok("databases", message)]
    set_environment(str(root))
    try:
        set_up()
    except RunicornError as problem:
        return [*findings, error("settings", str(problem), "Correct what it names; the viewer does not start with it.")]
    index, default = folder / config.INDEX_NAME, config.named_data_dir() / config.DEFAULT_DATABASE_NAME
    findings += examined("settings", _system_checks)
    if url is not None:
        return findings
    findings += examined("accounts", lambda: _default_database(default))
    findings += examined("index", lambda: _index(index))
    return findings + examined("mirror", lambda: _mirror(index, is_served=is_served))


def _assets() -> Iterator[Finding]:
    missing = [name for name in ASSETS if not (SITE_DIR / "static" / "vendor" / name).is_file()]
    if missing:
        way_out = "Install Runicorn anew; in a checkout run `make assets`."
        yield error("browser files", f"What pages load is missing: {', '.join(missing)}.", way_out)
    else:
        yield ok("browser files", "The browser libraries are there.")


def _system_checks() -> Iterator[Finding]:
    from django.core import checks

    messages = checks.run_checks()
    for message in messages:
        text = f"{message.msg} ({message.id})".replace("\n", " ")
        finding = error if message.is_serious() else warning
        yield finding("settings", text, message.hint or "Correct the variable or the installation that it names.")
    if not messages:
        yield ok("settings", "They agree with each other.")


def _default_database(file: Path) -> Iterator[Finding]:
    """Accounts, sessions, tokens: what must be kept."""
    if not file.exists():
        yield ok("accounts", f"{file} is not there yet; the next start makes it.")
        return
    try:
        applied = _applied_if_sound(file)
    except sqlite3.DatabaseError as problem:
        yield error(
            "accounts",
            f"{file} is damaged: {problem}.",
            "Stop the viewer and put a copy of it back; without one, move it away: accounts and tokens are made anew.",
        )
        return
    known = _known_migrations()
    if applied - known:
        yield error(
            "accounts",
            f"A newer version of Runicorn made {file} ({_names(applied - known)}).",
            "Install that version again, or put back a copy of the database from before.",
        )
    elif known - applied:
        yield ok("accounts", f"{file} is sound; the next start brings it up to date.")
    else:
        yield ok("accounts", f"{file} is sound and up to date.")


def _index(file: Path) -> Iterator[Finding]:
    """The mirror of the run directories, which may be deleted at any time."""
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
        yield error(
            "index", f"{file} is damaged: {problem}.", "Stop the viewer and run `runicorn reindex`; no run is lost."
        )
        return
    if _of_index(applied) == _of_index(_known_migrations()):
        yield ok("index", f"{file} is sound and up to date.")
    else:
        yield ok("index", f"Another version made {file}; the next start builds it anew.")


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


def _known_migrations() -> Migrations:
    from django.db.migrations.loader import MigrationLoader

    return set(MigrationLoader(None).disk_migrations)


def _of_index(migrations: Migrations) -> Migrations:
    return {migration for migration in migrations if migration[0] in INDEX_APPS}


def _names(migrations: Migrations) -> str:
    return ", ".join(sorted(f"{app}.{name}" for app, name in migrations))


def _mirror(index: Path, *, is_served: bool) -> Iterator[Finding]:
    if _is_held(index.with_name("index.mirror.lock")):
        yield ok("mirror", "A mirror process keeps the index in step with the runs.")
    elif is_served:
        yield error(
            "mirror",
            "A viewer answers, but no mirror process keeps its index: what is new is not seen.",
            "Start `runicorn mirror`, or `runicorn viewer`, which does it by itself.",
        )
    else:
        yield ok("mirror", "No mirror process runs now; `runicorn viewer` starts one.")


def _is_held(lock: Path) -> bool:
    if not lock.exists():
        return False
    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except filelock.Timeout:
        return True
