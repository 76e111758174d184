"""Which version of Runicorn made the tables of a database, by the migrations that are recorded there."""

from __future__ import annotations

from runicorn.cli.doctor.findings import Finding, error, ok
from runicorn_site.routers import INDEX_APPS

#: App and name of each.
Migrations = set[tuple[str, str]]


def of_accounts(place: str, applied: Migrations, *, state: str = "") -> Finding:
    """state: what else was found out about the place, as the beginning of what it is."""
    known = _known()
    if applied - known:
        return error(
            "accounts",
            f"{place} was made by a newer version of Runicorn ({_names(applied - known)}).",
            "Install that version again, or put back a copy of the database from before.",
        )
    if known - applied:
        return ok("accounts", f"{place} is {state}of an older version; the next start brings it up to date.")
    return ok("accounts", f"{place} is {state}up to date.")


def of_index(place: str, applied: Migrations, *, state: str = "") -> Finding:
    """As of_accounts; an index of another version does no harm."""
    if _of_index(applied) == _of_index(_known()):
        return ok("index", f"{place} is {state}up to date.")
    return ok("index", f"{place} was made by another version; the next start builds it anew.")


def _known() -> Migrations:
    from django.db.migrations.loader import MigrationLoader  # not at the top: needs Django set up

    return set(MigrationLoader(None).disk_migrations)


def _of_index(migrations: Migrations) -> Migrations:
    return {migration for migration in migrations if migration[0] in INDEX_APPS}


def _names(migrations: Migrations) -> str:
    return ", ".join(sorted(f"{app}.{name}" for app, name in migrations))
