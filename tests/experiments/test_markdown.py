"""Notes are rendered, and nothing in them runs, loads or pretends to be a part of the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.markdown import MAX_CHARS, render_markdown

REL = ' rel="noopener noreferrer nofollow"'
ALLOWED = re.compile(
    r"</?(?:p|br|hr|strong|em|s|code|pre|blockquote|ul|li|h[3-6]|table|thead|tbody|tr|th|td)>"
    r'|<ol(?: start="\d+")?>|</ol>|</a>'
    r'|<a(?: href="(?:https?://|mailto:)?[^"<>]*")?(?: title="[^"<>]*")?' + REL + ">"
)


def test_what_markdown_says_is_shown():
    table = "| a | b |\n|---|---|\n| 1 | `x<y` |"

    html = render_markdown(f"# Why\n\n*lr* was ~~low~~ high, see [paper](https://example.org/a)\n\n{table}")

    assert html is not None
    for part in ("<h3>Why</h3>", "<em>lr</em>", "<s>low</s>", "<td>1</td>", "<code>x&lt;y</code>"):
        assert part in html
    assert f'<a href="https://example.org/a"{REL}>paper</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](vbscript:x)",
        "![a](https://example.org/track.png)",
        '[a](https://example.org "x\\" onclick=alert(1) y=\\"")',
        "<a href='javascript:1'>x</a>",
        "<style>*{display:none}</style>",
        "<form action=/runs.delete><button>",
        "`<iframe>`",
        "&lt;script&gt;",
        "[x]: javascript:alert(1)\n\n[x]",
        "<svg/onload=alert(1)>",
    ],
)
def test_nothing_in_it_runs_or_loads(text: str):
    html = render_markdown(text)

    assert html is not None
    assert "<" not in ALLOWED.sub("", html), html
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html).lower()


@given(st.text(alphabet="<>&\"'`[]()!#*_~|\\-:/ \nabhrefsonjvc=;", max_size=120))
def test_no_text_makes_a_tag_that_is_not_ours(text: str):
    html = render_markdown(text)

    assert html is not None
    assert "<" not in ALLOWED.sub("", html), html


def test_a_text_that_is_too_long_is_left_to_be_shown_as_it_is():
    assert render_markdown("x" * (MAX_CHARS + 1)) is None


def test_deep_nesting_ends():
    assert render_markdown(">" * 50_000 + "x") is not None
    assert render_markdown("[" * 50_000) is not None
    assert render_markdown("*a " * 30_000) is not None
