"""Notes in Markdown as HTML. They are hostile input: anybody who can write a run directory writes them."""

from __future__ import annotations

from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

#: More is a log that was put into the notes; it is shown as it is.
MAX_CHARS = 200_000
_TAGS = {"a", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"}
_TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
#: Headings of notes stand below those of the page.
_HEADINGS = {f"h{level}": f"h{min(6, level + 2)}" for level in range(6, 0, -1)}


def render_markdown(text: str) -> SafeString | None:
    """CommonMark with tables and strikethrough; None of a text that is too long.

    HTML in it is shown as text, images are links: a page loads nothing from elsewhere. What the parser makes is cleaned
    by a second library, so that neither has to be without fault.
    """
    if len(text) > MAX_CHARS:
        return None
    html = _parser().render(text)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    for heading, lower in _HEADINGS.items():
        clean = clean.replace(f"<{heading}>", f"<{lower}>").replace(f"</{heading}>", f"</{lower}>")
    return mark_safe(clean)  # noqa: S308  cleaned just above


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
