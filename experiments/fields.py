"""A model field and an order of our own."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models
from django.db.models.expressions import OrderBy
from django.db.models.indexes import IndexExpression
from django.db.models.lookups import Lookup
from django.utils.deconstruct import deconstructible


class JsonTextField(models.TextField):
    """A JSON value kept as text: PostgreSQL's own type sorts keys and refuses NUL, and nobody asks for its parts."""

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Any:
        return None if value is None else orjson.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encode_json(value)


def encode_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


@deconstructible(path="experiments.fields.LargestFirst")
class LargestFirst(OrderBy):
    """The order of a column in an index that serves ``ORDER BY column DESC NULLS LAST``.

    SQLite takes an index that says so for an error: its nulls are the smallest values anyway.
    """

    def __init__(self, column: str) -> None:
        super().__init__(models.F(column), descending=True, nulls_last=True)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        plain = self.copy()
        plain.nulls_last = None
        return plain.as_sql(compiler, connection)


# an index takes no order whose exact class it does not know
IndexExpression.register_wrappers(*IndexExpression.wrapper_classes, LargestFirst)


class AnyOf(Lookup):  # type: ignore[type-arg]  # it takes no parameters when the program runs
    """``column IN (…)`` with any number of values, as one parameter.

    SQLite takes 32,766 parameters, and of many the parsing alone costs more than the look at the table.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*parameters, list(self.rhs)]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, encode_json(self.rhs)]  # noqa: S608  the column is Django's
