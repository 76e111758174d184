"""The values of a run's config and summary as rows: what filters, columns and groups of the runs table look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from experiments.mirror import write
from experiments.mirror.keys import InternedKeys
from experiments.models import RunValue, ValueKey
from runicorn.storage.run_documents import RunDocuments

#: More in one document are a table that was put into the config; the run's page shows them all.
MAX_VALUES = 2000
#: Nobody types a longer text into a filter.
MAX_TEXT = 1000
#: Deeper objects are kept as one text.
MAX_DEPTH = 8


class Value(NamedTuple):
    """text: as people type it. number: what it is compared as; None if it is none."""

    text: str
    number: float | None


def values_of(documents: RunDocuments) -> dict[tuple[str, str], Value]:
    """By area and dotted name."""
    found: dict[tuple[str, str], Value] = {}
    for area, document in ((ValueKey.Area.CONFIG, documents.config), (ValueKey.Area.SUMMARY, documents.summary)):
        for count, (name, value) in enumerate(_leaves(document, "", 1)):
            if count == MAX_VALUES:
                break
            found[area.value, name] = _value(value)
    return found


def _leaves(document: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and value and depth < MAX_DEPTH:
            yield from _leaves(value, f"{name}.", depth + 1)
        elif value is not None:
            yield name, value


def _value(value: Any) -> Value:
    """Booleans are 1 and 0 too; a text that says a number is one (YAML reads ``1e-4`` as a text); lists are JSON."""
    if isinstance(value, bool):
        return Value("true" if value else "false", float(value))
    if isinstance(value, (int, float)):
        return Value(orjson.dumps(value).decode(), float(value))
    if isinstance(value, str):
        return Value(value[:MAX_TEXT], _spelled_number(value))
    return Value(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()[:MAX_TEXT], None)


def _spelled_number(text: str) -> float | None:
    if len(text) > 30 or text.strip("+-.eE0123456789"):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) != float("inf") else None


def replace_values(rows: Sequence[tuple[int, RunDocuments]], keys: InternedKeys, *, known: Collection[int]) -> None:
    """rows: (Run.pk, its documents). known: those of the runs that may have values already."""
    found = [(run, values_of(documents)) for run, documents in rows]
    names = keys.of_values(list({key for _, values in found for key in values}))
    if known:
        RunValue.objects.filter(run_id__in=known).delete()
    write.insert(
        RunValue,
        ("run_id", "key_id", "text", "number"),
        [(run, names[key], *value) for run, values in found for key, value in values.items()],
    )
