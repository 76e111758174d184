"""The order of the runs table: by any field, runs without a value last, then the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, OrderBy

from experiments.queries.table.choice import SortKey
from experiments.query_language.fields import METRICS, Kind, Vocabulary, expression_of, run_expression, value_expression

#: Equal values keep their order from page to page.
NEWEST_FIRST: tuple[str, ...] = ("-created_at", "run_id", "pk")


def ordering_of(keys: Sequence[SortKey], words: Vocabulary) -> list[OrderBy | str]:
    """For ``QuerySet.order_by``."""
    if len(keys) == 1 and keys[0].field.name == "created" and keys[0].field.area == "run":
        return ["-created_at" if keys[0].descending else "created_at", "run_id", "pk"]  # as the index has them
    return [by for key in keys for by in _by(key, words)] + list(NEWEST_FIRST)


def _by(key: SortKey, words: Vocabulary) -> list[OrderBy]:
    field = key.field
    if field.area == "run" and field.name == "experiment":
        expressions: list[Any] = [F("project"), F("name")]
    elif field.area == "run" and field.kind is not Kind.TAGS:
        expressions = [run_expression(field.name, words)]
    elif field.kind is Kind.TAGS:
        expressions = [F("tags")]
    elif field.area == METRICS:
        expressions = [expression_of(field, words)]
    else:  # what says a number by it, the others by their text
        expressions = [value_expression(field, words, column) for column in ("number", "text")]
    return [OrderBy(expression, descending=key.descending, nulls_last=True) for expression in expressions]
