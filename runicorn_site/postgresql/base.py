"""The backend that settings name. What differs from Django's and why: docs/design/0014-two-databases.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from psycopg.adapt import AdaptersMap
from psycopg.types.string import StrDumper

#: By code point, as SQLite and Python sort, whatever the language of the server.
COLLATION = "C"
_TEXT_TYPES = ("text", "varchar")
#: The one character that a text of PostgreSQL cannot hold.
NUL, REPLACEMENT = "\x00", "\ufffd"


class TextDumper(StrDumper):
    """Texts come from files and requests, which may hold NUL: it must not make an error of a page or of the mirror."""

    def dump(self, text: str) -> Any:
        return super().dump(text.replace(NUL, REPLACEMENT) if NUL in text else text)


class SchemaEditor(DatabaseSchemaEditor):
    """Gives every column of text our collation. The types of Django do not know these two methods."""

    def _iter_column_sql(
        self, column_db_type: str, params: Any, model: Any, field: Any, field_db_params: Any, include_default: bool
    ) -> Iterator[str]:
        parameters = {**field_db_params, "collation": _collation(column_db_type)}
        yield from super()._iter_column_sql(column_db_type, params, model, field, parameters, include_default)  # type: ignore[misc]

    def _alter_column_type_sql(
        self, model: Any, old_field: Any, new_field: Any, new_type: str, old_collation: Any, new_collation: Any
    ) -> Any:
        return super()._alter_column_type_sql(  # type: ignore[misc]
            model, old_field, new_field, new_type, old_collation, _collation(new_type)
        )


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        adapters = AdaptersMap(parameters["context"])
        adapters.register_dumper(str, TextDumper)
        return {**parameters, "context": adapters}


def _collation(column_type: str) -> str | None:
    return COLLATION if column_type.startswith(_TEXT_TYPES) else None
