"""The one place where an expression of the query language becomes a condition of runs, for the pages and the API."""

from __future__ import annotations

from datetime import tzinfo

from django.db.models import Q

from experiments.query_language.conditions import Filter, filter_of
from experiments.query_language.parser import parse_filter

#: What an empty filter means.
ALL_RUNS = Filter(Q())


def filter_in(text: str | None, *, now: float, zone: tzinfo) -> Filter:
    """now: Unix seconds, for "7d ago". zone: of moments that name none. Raises InvalidFilter."""
    if text is None or not text.strip():
        return ALL_RUNS
    return filter_of(parse_filter(text), now=now, zone=zone)
