"""The fields there are, searched by name: what the column picker and the completion of filters offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from experiments.models import MetricKey, Run, RunTag, ValueKey
from experiments.queries.shown_runs import STATES
from experiments.query_language.fields import METRICS, RUN_FIELDS, Field, Kind, Vocabulary, run_expression, values_of

#: A page of the picker; who looks for one among thousands types more of its name.
MAX_FIELDS = 60


@dataclass(frozen=True)
class FieldList:
    """Fields by where they are from. more: there are others that match."""

    run: list[Field]
    config: list[Field]
    summary: list[Field]
    metrics: list[Field]
    more: bool


def fields_named(search: str, *, limit: int = MAX_FIELDS) -> FieldList:
    """The fields whose name holds ``search``, in any case; ``limit`` of each kind. Metrics by their last value."""
    wanted = search.casefold()
    run = [Field("run", name, kind) for name, kind in RUN_FIELDS.items() if wanted in name]
    named = MetricKey.objects.filter(_within(METRICS, wanted)).order_by("name")
    metrics = list(named[: limit + 1])
    values = {
        area: list(ValueKey.objects.filter(_within(area, wanted), area=area).order_by("name")[: limit + 1])
        for area in ValueKey.Area.values
    }
    return FieldList(
        run=run,
        config=[Field("config", key.name, Kind.EITHER) for key in values["config"][:limit]],
        summary=[Field("summary", key.name, Kind.EITHER) for key in values["summary"][:limit]],
        metrics=[Field(METRICS, key.name, Kind.NUMBER, "last") for key in metrics[:limit]],
        more=max(len(metrics), *map(len, values.values())) > limit,
    )


def _within(area: str, wanted: str) -> Q:
    """Names of an area: ``conf`` and ``config.`` mean all of config, ``config.l`` those that hold an l."""
    if f"{area}.".startswith(wanted):
        return Q()
    return Q(name__icontains=wanted.removeprefix(f"{area}."))


def values_named(field: Field, search: str, *, now: float, limit: int = MAX_FIELDS) -> list[str]:
    """Texts that runs have for ``field`` and that hold ``search``, in any case."""
    wanted = search.casefold()
    if field.name == "status" and field.area == "run":
        return [state for state in STATES if wanted in state]
    words = Vocabulary.of([field], now=now)
    texts: QuerySet[Any, Any]
    if field.kind is Kind.TAGS:
        texts = RunTag.objects.filter(tag__icontains=wanted).values_list("tag", flat=True)
    elif field.kind is Kind.EITHER:
        texts = values_of(field, words).filter(text__icontains=wanted).values_list("text", flat=True)
    elif field.kind is Kind.TEXT:
        runs = Run.objects.order_by().annotate(offered=run_expression(field.name, words))
        texts = runs.filter(offered__icontains=wanted).values_list("offered", flat=True)
    elif field.kind is Kind.SWITCH:
        return ["true", "false"]
    else:
        return []
    return sorted(texts.distinct()[:limit])
