"""The words of artifacts on pages."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from artifacts.queries.artifact_table import ArtifactTable

register = template.Library()

TYPE_WORDS = {
    "model": gettext_lazy("model"),
    "dataset": gettext_lazy("dataset"),
    "config": gettext_lazy("config"),
    "code": gettext_lazy("code"),
    "custom": gettext_lazy("custom"),
}


@register.filter
def type_word(type_: str) -> str | Promise:
    """The word for a type; one that is none of ours as it is."""
    return TYPE_WORDS.get(type_, type_)


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
