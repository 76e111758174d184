"""Mistakes in a filter are answered with the place and what was expected; nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.query_language.parser import MAX_CONDITIONS, parse_filter
from runicorn.errors import InvalidFilter


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("status =", 9, "a value"),
        ("status = failed name", 17, '"and"'),
        ("(status = failed", 17, '")"'),
        ("status in (failed, )", 20, "a value"),
        ("status in failed", 11, '"("'),
        ('name = "resnet', 8, '"'),
        ("status = failed && name = x", 17, '"or"'),
        ("metrics.loss ! 3", 14, "a comparison (= != < <= > >= ~ !~)"),
        ("and status = failed", 1, "a field"),
        ("resnet config.lr < 1", 18, '"and"'),
        ("name = \x00", 8, "a value"),
        ("config.lr", 10, "a comparison (= != < <= > >= ~ !~)"),
        ("not", 4, "a field"),
        ("status = failed and", 20, '"not"'),
    ],
)
def test_a_mistake_is_answered_with_its_place_and_what_was_expected(text: str, position: int, expected: str):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)

    assert caught.value.position == position, caught.value
    assert expected in caught.value.expected, caught.value
    assert str(position) in str(caught.value) or "too early" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 41 + "a = 1" + ")" * 41,
        "not " * 41 + "a = 1",
        " and ".join(["a = 1"] * (MAX_CONDITIONS + 1)),
        "x" * 4001,
    ],
    ids=["open", "deep", "negated", "many", "long"],
)
def test_what_would_keep_the_server_busy_is_refused(text: str):
    with pytest.raises(InvalidFilter):
        parse_filter(text)


@given(st.text(alphabet="ab.1 -\"'()[],=<>~!&and orinthas时%\\\x00", max_size=60))
def test_any_text_is_a_filter_or_a_mistake_with_a_place(text: str):
    mistake = None
    try:
        parse_filter(text)
    except InvalidFilter as error:
        mistake = error

    assert mistake is None or 1 <= mistake.position <= len(text) + 1
