"""The choices in the address of the runs table. The address is all there is: reloaded or sent, it shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from experiments.queries.shown_runs import STATES
from experiments.query_language.fields import Field, Kind, field_of
from experiments.query_language.parser import conjuncts, joined_filters, parse_path, split_paths
from runicorn.errors import InvalidInput

NEWEST_FIRST = "-created"
#: What the table shows beside status and name until somebody chooses.
DEFAULT_COLUMNS = "experiment,created,duration,best,tags"
MAX_COLUMNS = 60
MAX_SORT_KEYS = 3
MAX_GROUP_KEYS = 4


class SortKey(NamedTuple):
    field: Field
    descending: bool


@dataclass(frozen=True)
class TableChoice:
    """Empty means "all" or the default. filter: an expression. columns, group: fields with commas.

    sort: fields with commas, ``-`` before those that descend.
    """

    project: str = ""
    experiment: str = ""
    status: str = ""
    filter: str = ""
    sort: str = NEWEST_FIRST
    columns: str = ""
    group: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, columns: str = "") -> TableChoice:
        """columns: shown if the address names none. Raises InvalidInput for what does not exist."""
        chosen = cls(
            project=query.get("project", ""),
            experiment=query.get("experiment", ""),
            status=query.get("status", ""),
            filter=query.get("filter", "").strip(),
            sort=query.get("sort") or NEWEST_FIRST,
            columns=query.get("columns") or columns,
            group=query.get("group", ""),
        )
        if chosen.status and chosen.status not in STATES:
            raise InvalidInput(f"The status {chosen.status!r} is unknown; choose one of {', '.join(STATES)}.")
        _check(chosen.sort_keys, MAX_SORT_KEYS, "sort keys")
        _check(chosen.column_fields, MAX_COLUMNS, "columns")
        _check(chosen.group_fields, MAX_GROUP_KEYS, "groups")
        return chosen

    @cached_property
    def sort_keys(self) -> tuple[SortKey, ...]:
        keys = split_paths(self.sort)
        return tuple(SortKey(field_of(parse_path(key.removeprefix("-"))), key.startswith("-")) for key in keys)

    @cached_property
    def column_fields(self) -> tuple[Field, ...]:
        return _fields(self.columns or DEFAULT_COLUMNS)

    @cached_property
    def group_fields(self) -> tuple[Field, ...]:
        fields = _fields(self.group)
        if any(field.kind is Kind.TAGS for field in fields):
            raise InvalidInput("Runs have several tags; they cannot be grouped by them. Filter by a tag instead.")
        return fields

    @cached_property
    def conjuncts(self) -> list[str]:
        """The parts of the filter that all must hold, each as it was written."""
        return conjuncts(self.filter)

    @property
    def is_active(self) -> bool:
        """Whether some runs are left out."""
        return bool(self.project or self.experiment or self.status or self.filter)

    @property
    def shows_newest_first(self) -> bool:
        return self.sort == NEWEST_FIRST

    def with_condition(self, condition: str) -> TableChoice:
        """These choices, and what ``condition`` says besides."""
        return self if condition in self.conjuncts else replace(self, filter=joined_filters(self.filter, condition))

    def query_string(self, *, page: int = 1, **changes: str) -> str:
        """The URL's query for these choices with ``changes``; what is left at its default is not written."""
        changed = replace(self, **changes)
        pairs = [
            ("project", changed.project),
            ("experiment", changed.experiment),
            ("status", changed.status),
            ("filter", changed.filter),
            ("group", changed.group),
            ("columns", "" if changed.columns == DEFAULT_COLUMNS else changed.columns),
            ("sort", "" if changed.sort == NEWEST_FIRST else changed.sort),
            ("page", "" if page == 1 else str(page)),
        ]
        return urlencode([pair for pair in pairs if pair[1]])


def _fields(text: str) -> tuple[Field, ...]:
    return tuple(dict.fromkeys(field_of(parse_path(path)) for path in split_paths(text)))


def _check(chosen: tuple[object, ...], most: int, what: str) -> None:
    if len(chosen) > most:
        raise InvalidInput(f"The table takes at most {most} {what}, and not {len(chosen)}.")
