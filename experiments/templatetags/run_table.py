"""The parts of the runs table that depend on its choices: heads, cells, chips, links. Cells are written here and not by
templates of their own: a page has a thousand of them.
"""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from experiments.queries.shown_runs import STATES
from experiments.queries.table.choice import DEFAULT_COLUMNS, TableChoice
from experiments.queries.table.columns import Cell, Column
from experiments.queries.table.groups import Spread
from experiments.queries.table.page import RunTable
from experiments.query_language.fields import METRICS, STATISTICS, Field, Kind
from experiments.query_language.parser import joined_filters, quoted, split_paths
from experiments.templatetags.runicorn_pages import NOTHING, STATE_WORDS, duration, number, time_span, when

register = template.Library()

#: Heads of the fields of runs; other fields are called as their names are.
LABELS: dict[str, str | Promise] = {
    "id": gettext_lazy("Run id"),
    "name": gettext_lazy("Name"),
    "project": gettext_lazy("Project"),
    "experiment": gettext_lazy("Project / experiment"),
    "status": gettext_lazy("Status"),
    "tags": gettext_lazy("Tags"),
    "description": gettext_lazy("Description"),
    "group": gettext_lazy("Group"),
    "created": gettext_lazy("Created"),
    "started": gettext_lazy("Started"),
    "ended": gettext_lazy("Ended"),
    "updated": gettext_lazy("Changed"),
    "duration": gettext_lazy("Duration"),
    "best": gettext_lazy("Best metric"),
    "best_metric": gettext_lazy("Name of the best metric"),
    "attempt": gettext_lazy("Attempt"),
    "host": gettext_lazy("Host"),
    "python": gettext_lazy("Python"),
    "platform": gettext_lazy("Platform"),
    "root": gettext_lazy("Storage root"),
    "archived": gettext_lazy("Archived"),
    "pinned": gettext_lazy("Pinned"),
    "artifacts_created": gettext_lazy("Artifacts made"),
    "artifacts_used": gettext_lazy("Artifacts used"),
}


@register.filter
def field_label(field: Field) -> str:
    """What a head calls a field."""
    return str(LABELS[field.name]) if field.area == "run" else field.name


@register.filter
def tag_filter(tag: str) -> str:
    """The filter that finds the runs with a tag."""
    return f"tags has {quoted(tag)}"


@register.filter
def slug(name: str) -> str:
    """A name as a part of an element's id, by which htmx keeps the focus."""
    return re.sub(r"\W+", "-", name)


@register.simple_tag
def column_head(choice: TableChoice, column: Column) -> SafeString:
    """A head that sorts by its column, and the other way round when the table is sorted by it."""
    place = next((place for place, key in enumerate(choice.sort_keys) if key.field == column.field), None)
    key = None if place is None else choice.sort_keys[place]
    # numbers and times are asked for largest first, names from A
    falls_first = column.is_numeric or column.field.kind is Kind.TIME
    descends = (not key.descending) if key else falls_first
    url = f"{reverse('run_list')}?{choice.query_string(sort=('-' if descends else '') + column.name)}"
    direction = "" if key is None else ("descending" if key.descending else "ascending")
    mark = {"": "", "descending": "↓", "ascending": "↑"}[direction]
    return format_html(
        '<th scope="col" class="col-{} {}" data-column="{}" title="{}"{}>'
        '<a id="sort-{}" href="{}" hx-get="{}" hx-push-url="true" data-sort="{}">{}{}{}<span class="sort-mark" '
        'aria-hidden="true">{}{}</span></a></th>',
        column.name if column.field.area == "run" else "value",
        "num" if column.is_numeric else "",
        column.name,
        column.name,
        format_html(' aria-sort="{}"', direction) if direction else "",
        slug(column.name),
        url,
        url,
        column.name,
        format_html('<span class="head-area">{} </span>', column.area) if column.area not in ("", METRICS) else "",
        field_label(column.field),
        format_html('<span class="head-area"> {}</span>', column.statistic) if column.statistic else "",
        mark,
        place + 1 if mark and place is not None and len(choice.sort_keys) > 1 else "",
    )


@register.simple_tag
def run_cell(choice: TableChoice, column: Column, cell: Cell, now: float) -> SafeString:
    """A cell of a run's line."""
    css = "num" if column.is_numeric and cell.kind != "text" else f"col-{cell.kind}"
    return format_html('<td class="{}">{}</td>', css, _WRITERS[cell.kind](choice, cell, now))


def _number(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    shown = format_html('<data value="{}" title="{}">{}</data>', cell.value, cell.value, number(cell.value))  # type: ignore[arg-type]
    return _filtering(choice, cell, shown) if cell.condition else shown


def _text(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    return _filtering(choice, cell, format_html("{}", cell.value))


def _filtering(choice: TableChoice, cell: Cell, shown: SafeString) -> SafeString:
    """A value that leaves only the runs with this value when it is pressed."""
    query = choice.with_condition(cell.condition).query_string()
    return format_html(
        '<a class="cell-filter" tabindex="-1" title="{}" href="?{}">{}</a>',
        f"{cell.value} · {_('filter')}: {cell.condition}",
        query,
        shown,
    )


def _time(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    return when(cell.value, now)  # type: ignore[arg-type]


def _span(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    started, ended = cell.value  # type: ignore[misc]
    return time_span(started, ended, now)


def _tags(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    return format_html_join(
        "",
        '<a class="run-tag" title="{}" href="?{}">{}</a>',
        (
            (tag, choice.with_condition(tag_filter(tag)).query_string(), tag)
            for tag in cell.value  # type: ignore[attr-defined]
        ),
    )


def _experiment(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    project, experiment = cell.value  # type: ignore[misc]
    if not project:
        return format_html("{}", NOTHING)
    return format_html(
        '<a href="?{}">{}</a> / <a href="?{}">{}</a>',
        choice.query_string(project=project, experiment=""),
        project,
        choice.query_string(project=project, experiment=experiment or ""),
        experiment or NOTHING,
    )


def _best(choice: TableChoice, cell: Cell, now: float) -> SafeString:
    run: Any = cell.value
    at = "" if run.best_metric_step is None else f" @ {run.best_metric_step}"
    return format_html(
        '<span class="metric-name" title="{}">{}</span> <data value="{}" title="{}{}">{}</data>',
        run.best_metric_name or "",
        run.best_metric_name or "",
        run.best_metric_value,
        run.best_metric_value,
        at,
        number(run.best_metric_value),
    )


_WRITERS = {
    "none": lambda choice, cell, now: format_html("{}", NOTHING),
    "number": _number,
    "text": _text,
    "time": _time,
    "span": _span,
    "tags": _tags,
    "experiment": _experiment,
    "best": _best,
}


@register.simple_tag
def spread_cell(column: Column, spread: Spread | None) -> SafeString:
    """A cell of a group's line: mean ± deviation, with count, lowest and highest in the title."""
    if spread is None:
        return format_html('<td class="{}"></td>', "num" if column.is_numeric else "")
    write = duration if column.field.kind is Kind.DURATION else number
    title = _("%(count)s runs, %(lowest)s to %(highest)s, mean %(mean)s") % {
        "count": spread.count,
        "lowest": write(spread.lowest),
        "highest": write(spread.highest),
        "mean": spread.mean,
    }
    deviation = "" if spread.deviation is None else format_html(" <small>± {}</small>", write(spread.deviation))
    return format_html('<td class="num" title="{}">{}{}</td>', title, write(spread.mean), deviation)


@register.simple_tag
def group_label(column: Column, value: object) -> str:
    """A group's value as its line shows it."""
    if value is None:
        return _("none")
    if column.field.area == "run" and column.field.name == "status":
        return str(STATE_WORDS[str(value)][0])
    return number(value) if isinstance(value, (int, float)) else str(value)


@register.inclusion_tag("experiments/_status_links.html")
def status_links(table: RunTable) -> dict[str, object]:
    """The states that occur, each with its count and the link that leaves only those runs."""
    links = [("", _("All"), "")] + [(state, *STATE_WORDS[state]) for state in STATES]
    return {
        "links": [
            {"state": state, "word": word, "shape": shape, "count": table.counts[state], "query": query}
            for state, word, shape in links
            if not state or table.counts[state] or state == table.choice.status
            for query in [table.choice.query_string(status=state)]
        ],
        "chosen": table.choice.status,
        "list_name": "run_list",
    }


@register.simple_tag
def chips(choice: TableChoice) -> list[dict[str, str]]:
    """What the table is narrowed and grouped by: each with the address that is without it."""
    found = [
        {"text": part, "query": choice.query_string(filter=joined_filters(*_without(choice.conjuncts, place)))}
        for place, part in enumerate(choice.conjuncts)
    ]
    groups = split_paths(choice.group)
    return found + [
        {
            "text": _("by %(field)s") % {"field": name},
            "query": choice.query_string(group=",".join(_without(groups, at))),
        }
        for at, name in enumerate(groups)
    ]


def _without(parts: list[str], place: int) -> list[str]:
    return parts[:place] + parts[place + 1 :]


@register.simple_tag
def shown_columns(choice: TableChoice) -> list[dict[str, object]]:
    """The columns in their order, each with the addresses that move it or take it away."""
    names = [str(field) for field in choice.column_fields]
    return [
        {
            "field": field,
            "name": names[place],
            "without": choice.query_string(columns=",".join(_without(names, place)) or DEFAULT_COLUMNS),
            "earlier": choice.query_string(columns=",".join(_swapped(names, place - 1))) if place else "",
            "later": choice.query_string(columns=",".join(_swapped(names, place))) if place < len(names) - 1 else "",
        }
        for place, field in enumerate(choice.column_fields)
    ]


def _swapped(names: list[str], place: int) -> list[str]:
    return [*names[:place], names[place + 1], names[place], *names[place + 2 :]]


@register.simple_tag
def field_offers(choice: TableChoice, field: Field) -> list[dict[str, object]]:
    """What the picker offers for a field: a column for each statistic of a metric, and a group."""
    names = [str(shown) for shown in choice.column_fields]
    statistics = ("last", "min", "max", "mean") if field.area == METRICS else ("",)
    offers: list[dict[str, object]] = []
    for statistic in statistics:
        assert not statistic or statistic in STATISTICS
        name = str(Field(field.area, field.name, field.kind, statistic))
        offers.append(
            {
                "word": statistic or _("column"),
                "name": name,
                "chosen": name in names,
                "query": choice.query_string(columns=",".join([*names, name])),
            }
        )
    if field.area != METRICS and field.kind not in (Kind.TIME, Kind.DURATION, Kind.TAGS):
        groups = split_paths(choice.group)
        offers.append(
            {
                "word": _("group"),
                "name": str(field),
                "chosen": str(field) in groups,
                "query": choice.query_string(group=",".join([*groups, str(field)])),
            }
        )
    return offers
