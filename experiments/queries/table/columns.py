"""What the columns of the runs table hold for a page of runs: by two questions, however many columns there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.models import MetricSeries, Run, RunValue, ValueKey
from experiments.queries.shown_runs import state_of, stopped_at, tags_of
from experiments.query_language.fields import METRICS, STATISTICS, Field, Kind, Vocabulary
from experiments.query_language.parser import quoted


@dataclass(frozen=True)
class Column:
    """A column's head. name: as a filter names it. label: short; area: what stands before it, if anything."""

    field: Field
    name: str
    label: str
    area: str = ""
    statistic: str = ""

    @classmethod
    def of(cls, field: Field) -> Column:
        area = "" if field.area == "run" else field.area
        return cls(field, str(field), field.name, area, field.statistic)

    @property
    def is_numeric(self) -> bool:
        """Whether its values stand on the right."""
        return self.field.kind in (Kind.NUMBER, Kind.DURATION) or self.field.area in (METRICS, *ValueKey.Area.values)


@dataclass(frozen=True)
class Cell:
    """kind: how it is written: ``number``, ``text``, ``time``, ``span``, ``tags``, ``experiment``, ``best``, ``none``.

    value: what kind says; a span is (from, to or None while it grows). condition: the filter that finds the runs with
    this value; none where no filter would be asked for.
    """

    kind: str
    value: object = None
    condition: str = ""


NO_VALUE = Cell("none")


def cells_of(runs: Sequence[Run], fields: Sequence[Field], words: Vocabulary) -> dict[int, list[Cell]]:
    """By Run.pk, one cell a field; ``root`` is loaded."""
    keys = [run.pk for run in runs]
    series = _series(keys, fields, words)
    values = _values(keys, fields, words)
    return {run.pk: [_cell(run, field, series, values) for field in fields] for run in runs}


def _series(
    runs: Sequence[int], fields: Sequence[Field], words: Vocabulary
) -> Mapping[tuple[int, str], Mapping[str, object]]:
    names = {words.metrics[field.name]: field.name for field in fields if words.metrics.get(field.name)}
    if not names:
        return {}
    rows = MetricSeries.objects.filter(run_id__in=runs, key_id__in=names)
    columns = STATISTICS.values()
    return {(row["run_id"], names[row["key_id"]]): row for row in rows.values("run_id", "key_id", *columns)}


def _values(
    runs: Sequence[int], fields: Sequence[Field], words: Vocabulary
) -> Mapping[tuple[int, str, str], tuple[str, float | None]]:
    keys = {words.values[key]: key for field in fields if (key := (field.area, field.name)) in words.values}
    if not keys:
        return {}
    rows = RunValue.objects.filter(run_id__in=runs, key_id__in=keys).values_list("run_id", "key_id", "text", "number")
    return {(run, *keys[key]): (text, number) for run, key, text, number in rows}


def _cell(
    run: Run,
    field: Field,
    series: Mapping[tuple[int, str], Mapping[str, object]],
    values: Mapping[tuple[int, str, str], tuple[str, float | None]],
) -> Cell:
    if field.area == METRICS:
        row = series.get((run.pk, field.name))
        value = row[STATISTICS[field.statistic]] if row else None
        return NO_VALUE if value is None else Cell("number", value)
    if field.area != "run":
        found = values.get((run.pk, field.area, field.name))
        if found is None:
            return NO_VALUE
        text, number = found
        if number is not None and text not in ("true", "false"):
            return Cell("number", number, f"{field} = {text}")
        return Cell("text", text, f"{field} = {quoted(text)}")
    return _run_cell(run, field)


def _run_cell(run: Run, field: Field) -> Cell:
    name = field.name
    if name == "experiment":
        return Cell("experiment", (run.project, run.name))
    if name == "best":
        return NO_VALUE if run.best_metric_value is None else Cell("best", run)
    if name == "tags":
        return Cell("tags", tags_of(run))
    if field.kind is Kind.DURATION:
        still_running = state_of(run) == "running"
        return Cell("span", (_started(run), None if still_running else stopped_at(run) or _started(run)))
    if field.kind is Kind.TIME:
        at = _started(run) if name == "started" else getattr(run, f"{name}_at")
        return NO_VALUE if at is None else Cell("time", at)
    if field.kind is Kind.SWITCH:
        value = getattr(run, name)
        return Cell("text", "✓", f"{name} = true") if value else NO_VALUE
    value = _plain_values(run, name)
    if value is None or value == "":
        return NO_VALUE
    if field.kind is Kind.NUMBER:
        return Cell("number", value)
    return Cell("text", value, f"{name} = {quoted(str(value))}")


def _plain_values(run: Run, name: str) -> object:
    named = {"id": run.run_id, "name": run.display_name or run.name, "status": state_of(run), "root": run.root.key}
    columns = {
        "host": "hostname",
        "python": "python_version",
        "best_metric": "best_metric_name",
        "artifacts_created": "artifacts_created_count",
        "artifacts_used": "artifacts_used_count",
    }
    return named[name] if name in named else getattr(run, columns.get(name, name))


def _started(run: Run) -> float:
    return run.created_at if run.started_at is None else run.started_at
