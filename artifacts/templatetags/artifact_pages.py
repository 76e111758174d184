"""The words of artifacts on pages, and the queries of their links."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from artifacts.queries.artifact_page import VersionRow
from artifacts.queries.artifact_table import ArtifactTable
from artifacts.queries.comparison import Differences
from artifacts.queries.links import query_of
from experiments.templatetags.runicorn_pages import number

register = template.Library()

TYPE_WORDS = {
    "model": gettext_lazy("model"),
    "dataset": gettext_lazy("dataset"),
    "config": gettext_lazy("config"),
    "code": gettext_lazy("code"),
    "custom": gettext_lazy("custom"),
}
#: The word of each stage, and a shape, so that none is told by colour alone.
STAGE_WORDS = {
    "experimental": (gettext_lazy("experimental"), "○"),
    "staging": (gettext_lazy("staging"), "◐"),
    "production": (gettext_lazy("production"), "●"),
    "archived": (gettext_lazy("archived"), "▪"),
}
EVALUATION_WORDS = {
    "passed": (gettext_lazy("passed"), "✓", "finished"),
    "failed": (gettext_lazy("failed"), "✕", "failed"),
    "pending": (gettext_lazy("pending"), "●", "running"),
}
DIFFERENCE_WORDS = {
    "added": (gettext_lazy("added"), "+"),
    "removed": (gettext_lazy("removed"), "−"),
    "changed": (gettext_lazy("changed"), "~"),
}


@register.filter
def type_word(type_: str) -> str | Promise:
    """The word for a type; one that is none of ours as it is."""
    return TYPE_WORDS.get(type_, type_)


@register.filter
def metric_value(value: object) -> str:
    """A number of an evaluation as the pages write numbers; a file may hold anything else, too."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number(value) if is_number else str(value)  # type: ignore[arg-type]  # narrowed on the left


@register.simple_tag
def stage_mark(stage: str) -> SafeString:
    word, shape = STAGE_WORDS.get(stage, (stage, "?"))
    return format_html('<span class="stage stage-{}"><span aria-hidden="true">{}</span> {}</span>', stage, shape, word)


@register.simple_tag
def version_state(row: VersionRow) -> SafeString:
    """What is to be known of a version besides that it is there."""
    if row.deleted_at is not None:
        return _state("interrupted", "■", _("in the recycle bin"))
    if row.is_damaged:
        return _state("failed", "✕", _("damaged"))
    return _state("finished", "✓", _("ready")) if row.status == "ready" else _state("interrupted", "?", row.status)


@register.simple_tag
def evaluation_mark(status: str) -> SafeString:
    word, shape, state = EVALUATION_WORDS.get(status, (status, "?", "interrupted"))
    return _state(state, shape, word)


@register.simple_tag
def difference_mark(kind: str) -> SafeString:
    word, shape = DIFFERENCE_WORDS[kind]
    return format_html('<span aria-hidden="true">{}</span> {}', shape, word)


@register.simple_tag
def difference_counts(differences: Differences) -> str:
    words = _("%(added)s added, %(removed)s removed, %(changed)s changed, %(same)s the same.")
    return words % {kind: number(count) for kind, count in {**differences.counts, "same": differences.same}.items()}


@register.simple_tag
def file_path(path: str) -> SafeString:
    """A path whose folders stand back behind the name."""
    folder, slash, name = path.rpartition("/")
    return format_html('<span class="fact-more">{}</span>{}', folder + slash, name)


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: object) -> str:
    """The URL's query for the choices of this page (``choices``) with ``changes``; empty ones are left out."""
    return query_of(context["choices"] | {name: str(value) for name, value in changes.items()})


@register.simple_tag(takes_context=True)
def query_before(context: Context, name: str) -> str:
    """As ``query_with`` up to where ``name=`` follows; without it."""
    query = query_of(context["choices"] | {name: ""})
    return f"{query}&" if query else "?"


@register.simple_tag(takes_context=True)
def choices_but(context: Context, *names: str) -> list[tuple[str, str]]:
    """The choices of this page without those, for the hidden fields of a form that chooses them."""
    choices: dict[str, str] = context["choices"]
    return [(name, value) for name, value in choices.items() if value and name not in names]


@register.inclusion_tag("experiments/_status_links.html")
def type_links(table: ArtifactTable) -> dict[str, object]:
    """The types that occur, each with its count and the link that leaves only those artifacts."""
    links: list[tuple[str, str | Promise]] = [("", _("All")), *TYPE_WORDS.items()]
    return {
        "links": [
            {"state": type_, "word": word, "count": table.counts[type_], "query": table.choice.query_string(type=type_)}
            for type_, word in links
            if not type_ or table.counts[type_] or type_ == table.choice.type
        ],
        "chosen": table.choice.type,
        "list_name": "artifact_list",
    }


def _state(state: str, shape: str, word: Any) -> SafeString:
    return format_html('<span class="state state-{}"><span aria-hidden="true">{}</span> {}</span>', state, shape, word)
