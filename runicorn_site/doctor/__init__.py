"""The viewer's side of `runicorn doctor`: settings, databases, the mirror, what browsers load. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from runicorn import config
from runicorn.cli.doctor.findings import Finding, Level, error, examined, ok, warning
from runicorn.cli.processes import set_environment
from runicorn.errors import RunicornError
from runicorn_site import environment
from runicorn_site.doctor.sqlite import SqliteFiles
from runicorn_site.redis_server import redis_findings

SITE_DIR = Path(__file__).resolve().parents[1]
#: One file of each browser library; scripts/build_assets.py makes them all at once.
ASSETS = ("tabler/tabler.min.css", "tabler/icons.svg", "htmx/htmx.min.js", "uplot/uPlot.esm.js")


class Databases(Protocol):
    """What is examined once the settings are loaded."""

    def accounts(self) -> Iterator[Finding]:
        """Accounts, sessions, tokens: what must be kept."""

    def index(self) -> Iterator[Finding]:
        """The mirror of the run directories, which may be deleted at any time."""

    def has_mirror(self) -> bool:
        """Whether a mirror process keeps the index."""


def examine(root: Path, *, is_served: bool, set_up: Callable[[], None]) -> list[Finding]:
    """set_up: loads Django; called only where that creates nothing, since settings make the folders they need."""
    findings = [*examined("browser files", _assets), *examined("Redis", redis_findings)]
    key = config.named_data_dir() / "secret_key"
    folder = config.named_cache_dir() / config.root_digest(root)
    databases: Databases = SqliteFiles(
        accounts=config.named_data_dir() / config.DEFAULT_DATABASE_NAME, index=folder / config.INDEX_NAME
    )
    if (url := environment.database_url()) is not None:
        from runicorn_site.doctor.postgresql import PostgresqlDatabase  # not at the top: most do without psycopg

        databases = PostgresqlDatabase(url, root)
        about_server = examined("PostgreSQL", databases.server)
        findings += about_server
        if any(finding.level is Level.ERROR for finding in about_server):
            return findings
    if not key.is_file() or not root.is_dir() or (url is None and not folder.is_dir()):
        message = "No viewer of this root was started here yet; the first start makes what is missing."
        return [*findings, ok("databases", message)]
    set_environment(str(root))
    try:
        set_up()
    except RunicornError as problem:
        return [*findings, error("settings", str(problem), "Correct what it names; the viewer does not start with it.")]
    findings += examined("settings", _system_checks)
    findings += examined("accounts", databases.accounts)
    findings += examined("index", databases.index)
    return findings + examined("mirror", lambda: _mirror(databases, is_served=is_served))


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


def _mirror(databases: Databases, *, is_served: bool) -> Iterator[Finding]:
    if databases.has_mirror():
        yield ok("mirror", "A mirror process keeps the index in step with the runs.")
    elif is_served:
        yield error(
            "mirror",
            "A viewer answers, but no mirror process keeps its index: what is new is not seen.",
            "Start `runicorn mirror`, or `runicorn viewer`, which does it by itself.",
        )
    else:
        yield ok("mirror", "No mirror process runs now; `runicorn viewer` starts one.")
