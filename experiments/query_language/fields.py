"""What an expression may name, and the column or expression of the ORM behind it.

Filters, sort keys, columns and groups of the runs table all name fields alike.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.db.models import Case, CharField, F, FloatField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf

from experiments.models import MetricKey, MetricSeries, Run, RunValue, ValueKey
from experiments.query_language.nodes import Path
from runicorn.errors import InvalidFilter

#: What of a metric can be named, and its column. A metric alone means its last value.
STATISTICS = {
    "last": "last_value",
    "min": "min_value",
    "max": "max_value",
    "mean": "mean_value",
    "count": "count",
    "non_finite": "non_finite_count",
    "first_step": "first_step",
    "last_step": "last_step",
    "min_step": "min_step",
    "max_step": "max_step",
}
METRICS = "metrics"
TAGS = "tags"
SILENT = "silent"


class Kind(Enum):
    """How a field's values compare."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    DURATION = "duration"
    SWITCH = "switch"
    #: A config or summary value: a number where it says one, and always a text.
    EITHER = "either"
    TAGS = "tags"


@dataclass(frozen=True)
class Field:
    """One field. area: ``run``, ``metrics``, ``config`` or ``summary``. name: within it. statistic: of metrics."""

    area: str
    name: str
    kind: Kind
    statistic: str = ""

    def __str__(self) -> str:
        """As people write it."""
        if self.area == "run":
            return self.name
        name = self.name if _is_plain(self.name, is_metric=self.area == METRICS) else f'"{_escaped(self.name)}"'
        return f"{self.area}.{name}" + (f".{self.statistic}" if self.statistic else "")


def _is_plain(name: str, *, is_metric: bool) -> bool:
    parts = [name] if is_metric else name.split(".")
    return all(part and all(char.isalnum() or char in "_/-" for char in part) for part in parts)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


@dataclass(frozen=True)
class Vocabulary:
    """Numbers of the metric and value names that a question uses, looked up once. now: Unix seconds."""

    now: float
    metrics: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Iterable[Field], *, now: float) -> Vocabulary:
        wanted = list(fields)
        metrics = {named.name for named in wanted if named.area == METRICS}
        values = {named.name for named in wanted if named.area in ValueKey.Area.values}
        found = ValueKey.objects.filter(name__in=values).values_list("area", "name", "pk") if values else ()
        return cls(
            now=now,
            metrics=dict(MetricKey.objects.filter(name__in=metrics).values_list("name", "pk")) if metrics else {},
            values={(area, name): pk for area, name, pk in found},
        )


#: Fields of the run itself: the kind of each. What they read: ``run_expression``.
RUN_FIELDS: dict[str, Kind] = {
    "id": Kind.TEXT,
    "name": Kind.TEXT,
    "project": Kind.TEXT,
    "experiment": Kind.TEXT,
    "status": Kind.TEXT,
    "tags": Kind.TAGS,
    "description": Kind.TEXT,
    "group": Kind.TEXT,
    "created": Kind.TIME,
    "started": Kind.TIME,
    "ended": Kind.TIME,
    "updated": Kind.TIME,
    "duration": Kind.DURATION,
    "best": Kind.NUMBER,
    "best_metric": Kind.TEXT,
    "attempt": Kind.NUMBER,
    "host": Kind.TEXT,
    "python": Kind.TEXT,
    "platform": Kind.TEXT,
    "root": Kind.TEXT,
    "archived": Kind.SWITCH,
    "pinned": Kind.SWITCH,
    "artifacts_created": Kind.NUMBER,
    "artifacts_used": Kind.NUMBER,
}
_COLUMNS = {
    "id": "run_id",
    "experiment": "name",
    "created": "created_at",
    "ended": "ended_at",
    "updated": "updated_at",
    "best": "best_metric_value",
    "best_metric": "best_metric_name",
    "host": "hostname",
    "python": "python_version",
    "root": "root__key",
    "artifacts_created": "artifacts_created_count",
    "artifacts_used": "artifacts_used_count",
}


def field_of(path: Path) -> Field:
    """The field that a path names. Raises InvalidFilter."""
    first, *rest = path.parts
    if first == METRICS and rest:
        *name, last = rest
        if not name or last not in STATISTICS:
            name, last = rest, "last"
        return Field(METRICS, ".".join(name), Kind.NUMBER, last)
    if first in ValueKey.Area.values and rest:
        return Field(first, ".".join(rest), Kind.EITHER)
    name = {"run_id": "id", "tag": TAGS}.get(first, first.removesuffix("_at") if first.endswith("_at") else first)
    if rest or name not in RUN_FIELDS:
        raise _unknown(path)
    return Field("run", name, RUN_FIELDS[name])


def _unknown(path: Path) -> InvalidFilter:
    written = ".".join(path.parts)
    areas = [f"{area}.…" for area in (METRICS, *ValueKey.Area.values)]
    close = difflib.get_close_matches(written, RUN_FIELDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join([*RUN_FIELDS, *areas])}."
    message = f'At {path.position}: there is no field "{written[:60]}"; {hint}'
    return InvalidFilter(message, position=path.position, expected=close or [*RUN_FIELDS, *areas])


def expression_of(named: Field, words: Vocabulary) -> Combinable:
    """The field's value of each run, null where it has none; for columns, sorting and groups."""
    if named.area == "run":
        return run_expression(named.name, words)
    if named.area == METRICS:
        key = words.metrics.get(named.name, 0)
        series = MetricSeries.objects.filter(run=OuterRef("pk"), key_id=key)
        return Subquery(series.values(STATISTICS[named.statistic])[:1], output_field=FloatField())
    return value_expression(named, words, "text")


def value_expression(named: Field, words: Vocabulary, column: str) -> Subquery:
    """column: ``text`` or ``number`` of a config or summary value."""
    values = RunValue.objects.filter(run=OuterRef("pk"), key_id=words.values.get((named.area, named.name), 0))
    return Subquery(values.values(column)[:1], output_field=FloatField() if column == "number" else CharField())


def run_expression(name: str, words: Vocabulary) -> Combinable:
    if name == "name":
        return Coalesce(NullIf(F("display_name"), Value("")), F("name"))
    if name == "status":
        silent = When(status=Run.Status.RUNNING, silent=True, then=Value(SILENT))
        return Case(silent, default=F("status"), output_field=CharField())
    if name == "started":
        return Coalesce("started_at", "created_at")
    if name == "duration":
        still_running = When(Q(status=Run.Status.RUNNING, silent=False), then=Value(words.now))
        end = Case(still_running, default=Coalesce("ended_at", "last_sign_at"), output_field=FloatField())
        return end - Coalesce("started_at", "created_at")
    return F(_COLUMNS.get(name, name))


def series_of(named: Field, words: Vocabulary) -> QuerySet[MetricSeries]:
    """The rows of a metric, one a run."""
    return MetricSeries.objects.filter(key_id=words.metrics.get(named.name, 0))


def values_of(named: Field, words: Vocabulary) -> QuerySet[RunValue]:
    """The rows of a config or summary value, one a run."""
    return RunValue.objects.filter(key_id=words.values.get((named.area, named.name), 0))
