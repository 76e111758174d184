"""How the pages write numbers, times and durations. The scripts write them alike: static/experiments/format.js."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import Protocol

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runicorn.storage import layout

register = template.Library()

NOTHING = "–"
#: The word of each state, and a shape, so that no state is told by colour alone.
STATE_WORDS = {
    "running": (gettext_lazy("running"), "●"),
    "finished": (gettext_lazy("finished"), "✓"),
    "failed": (gettext_lazy("failed"), "✕"),
    "interrupted": (gettext_lazy("interrupted"), "■"),
    "silent": (gettext_lazy("no sign of life"), "?"),
}
ALERT_WORDS = {
    "info": (gettext_lazy("note"), "ℹ"),
    "warning": (gettext_lazy("warning"), "▲"),
    "error": (gettext_lazy("error"), "✕"),
}
_EXPONENT = re.compile(r"e\+?(-?)0*(\d)")
#: From here on a date says more than "400 d ago".
_DATE_AFTER_S = 30 * 86400
#: Floats beyond this are no times a calendar can show (year 9999).
_LAST_TIME = 253402300799


class Sortable(Protocol):
    """The choices of a table's URL, how it is sorted among them."""

    @property
    def sort(self) -> str: ...

    def query_string(self, *, sort: str) -> str: ...


@register.filter
def number(value: float | int | None) -> str:
    """Four significant digits; whole numbers up to ten million in full. The full value belongs into a title."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "NaN")
    size = abs(value)
    if size < 1e7 and value == int(value):
        return f"{int(value):,}"
    if size < 1e-4 or size >= 1e7:
        return _EXPONENT.sub(r"e\1\2", f"{value:.3e}")
    return f"{value:,.0f}" if size >= 9999.5 else f"{value:#.4g}".rstrip(".")


@register.filter
def relation_value(value: float | str) -> str:
    """A value of an axis, shortened."""
    return number(value) if isinstance(value, (int, float)) else Truncator(value).chars(60)


@register.filter
def exit_words(reason: str) -> str:
    """Why a run ended: what the viewer found out itself in the reader's words, a script's own text as it is."""
    return _("its process is gone") if reason == layout.PROCESS_NOT_FOUND else reason


@register.filter
def byte_size(size: int) -> str:
    """A size by 1024 with two decimals: 102400000 → "97.66 MB"."""
    value, units = float(size), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.2f} {units[0]}"


@register.simple_tag
def when(at: float | None, now: float) -> SafeString:
    """A moment, relative; the exact one as title (the script rewrites it in the reader's time zone)."""
    moment = _moment(at)
    if moment is None or at is None:
        return format_html("<span>{}</span>", NOTHING)
    return format_html(
        '<time datetime="{}" title="{}" data-ago="{}">{}</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        at,
        ago(at, now),
    )


@register.simple_tag
def exact_time(at: float | None) -> SafeString:
    """A moment, exact; the script rewrites it in the reader's time zone."""
    moment = _moment(at)
    if moment is None:
        return format_html("<span>{}</span>", NOTHING)
    return format_html(
        '<time datetime="{}" data-exact="{}">{}</time>', moment.isoformat(), at, f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    )


@register.simple_tag
def time_span(started_at: float, ended_at: float | None, now: float) -> SafeString:
    """How long something took; without an end it counts on in the page."""
    if ended_at is None:
        return format_html('<span data-since="{}">{}</span>', started_at, duration(now - started_at))
    return format_html("<span>{}</span>", duration(ended_at - started_at))


@register.simple_tag
def state_mark(state: str, last_sign_at: float | None, now: float, *, in_full: bool = False) -> SafeString:
    """A run's state as shape and word; a silent run says since when, ``in_full`` or in the title."""
    word, shape = STATE_WORDS[state]
    since = ""
    if state == "silent" and last_sign_at is not None:
        since = _("no sign of life since %(moment)s") % {"moment": ago(last_sign_at, now)}
    return format_html(
        '<span class="state state-{}" title="{}"><span aria-hidden="true">{}</span> {}</span>',
        state,
        since,
        shape,
        since if since and in_full else word,
    )


@register.simple_tag
def square(place: int) -> int:
    """Where the square of a week or a weekday begins in the picture of activity."""
    return 1 + 13 * place


@register.simple_tag
def alert_mark(level: str) -> SafeString:
    """How much an alert matters, as shape and word."""
    word, shape = ALERT_WORDS[level]
    return format_html('<span aria-hidden="true">{}</span> {}', shape, word)


@register.inclusion_tag("experiments/_sort_head.html")
def sort_head(
    choice: Sortable, key: str, label: str, css_class: str = "", list_name: str = "run_list"
) -> dict[str, object]:
    """A column's head: a link that sorts by ``key``, and the other way round when it does already.

    list_name: the URL name of the page.
    """
    descending = choice.sort == f"-{key}"
    active = choice.sort.removeprefix("-") == key
    # times and results are asked for largest first, names from A
    first = key if key in ("experiment", "status", "name", "type") else f"-{key}"
    query = choice.query_string(sort=(key if descending else f"-{key}") if active else first)
    direction = ("descending" if descending else "ascending") if active else ""
    head = {"query": query, "label": label, "key": key, "direction": direction, "css_class": css_class}
    return head | {"list_name": list_name}


def ago(at: float, now: float) -> str:
    """ "4 min ago"; a date for what is more than a month old."""
    age = now - at
    if age >= _DATE_AFTER_S:
        moment = _moment(at)
        return f"{moment:%Y-%m-%d}" if moment else NOTHING
    if age < 60:
        return _("just now")
    if age < 3600:
        return _("%(n)s min ago") % {"n": int(age // 60)}
    if age < 86400:
        return _("%(n)s h ago") % {"n": int(age // 3600)}
    return _("%(n)s d ago") % {"n": int(age // 86400)}


def duration(seconds: float) -> str:
    """The two largest units: "2 h 05 min"; below ten seconds one decimal."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return _("%(s)s s") % {"s": f"{seconds:.1f}"}
    whole = round(seconds)
    if whole < 60:
        return _("%(s)s s") % {"s": whole}
    if whole < 3600:
        return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": f"{whole % 60:02d}"}
    if whole < 86400:
        return _("%(h)s h %(m)s min") % {"h": whole // 3600, "m": f"{whole // 60 % 60:02d}"}
    return _("%(d)s d %(h)s h") % {"d": whole // 86400, "h": f"{whole // 3600 % 24:02d}"}


def _moment(at: float | None) -> datetime | None:
    """None for what no calendar holds: a file may claim any number."""
    if at is None or not 0 <= at <= _LAST_TIME:
        return None
    return datetime.fromtimestamp(at, tz=timezone.utc)
