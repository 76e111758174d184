"""Which tables live in which database."""

from __future__ import annotations

from typing import Any

#: Apps whose tables are the mirror: rebuilt from the run directories at any time.
INDEX_APPS = frozenset({"experiments", "artifacts"})


class IndexRouter:
    """The mirror's tables live in ``index``, all others in ``default``; no relation crosses."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return database_of(model._meta.app_label)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return database_of(model._meta.app_label)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return database_of(one._meta.app_label) == database_of(other._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == database_of(app_label)


def database_of(app_label: str) -> str:
    return "index" if app_label in INDEX_APPS else "default"
