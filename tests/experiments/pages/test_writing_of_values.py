"""Numbers, times and durations as the pages write them; tests/browser compares the scripts' way with this one."""

from __future__ import annotations

import math

import pytest
from django.utils import translation

from experiments.templatetags import runicorn_pages
from runicorn.storage.run_colors import color_number

NOW = 1_800_000_000.0

NUMBERS = [
    (None, "–"), (0, "0"), (-0.0, "0"), (1, "1"), (-12345, "-12,345"), (9999999, "9,999,999"), (12345678, "1.235e7"),
    (0.5, "0.5000"), (0.94074074, "0.9407"), (12.3456, "12.35"), (1234.56, "1235"), (9999.96, "10,000"),
    (65432.1, "65,432"), (0.00012346, "0.0001235"), (0.000012346, "1.235e-5"), (-2.5e-9, "-2.500e-9"),
    (1.5e300, "1.500e300"),
    (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞"),
]  # fmt: skip
DURATIONS = [
    (-3, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
    (3599, "59 min 59 s"), (3600, "1 h 00 min"), (86399, "23 h 59 min"), (90000, "1 d 01 h"),
]  # fmt: skip
AGES = [
    (0, "just now"), (-5, "just now"), (59, "just now"), (61, "1 min ago"), (3600, "1 h ago"), (86399, "23 h ago"),
    (86400, "1 d ago"), (29 * 86400, "29 d ago"), (31 * 86400, "2026-12-15"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "written"), NUMBERS)
def test_numbers_have_four_significant_digits(value: float | None, written: str):
    assert runicorn_pages.number(value) == written


@pytest.mark.parametrize(("seconds", "written"), DURATIONS)
def test_durations_have_two_units(seconds: float, written: str):
    assert runicorn_pages.duration(seconds) == written


@pytest.mark.parametrize(("age", "written"), AGES)
def test_ages_are_rounded_down(age: float, written: str):
    assert runicorn_pages.ago(NOW - age, NOW) == written


def test_durations_and_ages_follow_the_language():
    with translation.override("zh-hans"):
        assert runicorn_pages.duration(7500) == "2 小时 05 分"
        assert runicorn_pages.ago(NOW - 240, NOW) == "4 分钟前"


@pytest.mark.parametrize("at", [None, -5.0, 1e20, math.nan, math.inf])
def test_a_time_that_no_calendar_holds_is_left_out(at: float | None):
    assert runicorn_pages.when(at, NOW) == "<span>–</span>"
    assert runicorn_pages.exact_time(at) == "<span>–</span>"


def test_a_run_has_the_same_colour_everywhere_and_ids_share_twelve():
    assert color_number("20250114_153045_a1b2c3", None) == color_number("20250114_153045_a1b2c3", None)
    assert {color_number(f"20250114_153045_{number:06x}", None) for number in range(500)} == set(range(12))


def test_a_chosen_colour_wins_and_an_unknown_one_is_none():
    assert {color_number(run_id, "plum") for run_id in ("one", "two", "three")} == {11}
    assert color_number("one", "ultraviolet") == color_number("one", None)
