"""Which errors of the database are no fault of ours."""

from __future__ import annotations

from django.db import OperationalError, connections


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database is away or busy: then trying again may work.

    SQLite has one class for that and for a wrong statement or a missing table, PostgreSQL has two.
    """
    if not isinstance(error, OperationalError):
        return False
    return connections["index"].vendor == "postgresql" or "locked" in str(error)
