"""Rules that every template, script and style sheet keeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((CHECKOUT / "templates").rglob("*.html"))
SCRIPTS = sorted((CHECKOUT / "experiments" / "static").rglob("*.js"))
TOKENS = CHECKOUT / "experiments" / "static" / "experiments" / "tokens.css"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_small_names_its_context_and_holds_no_code(path: Path):
    text = path.read_text(encoding="utf-8")

    assert "{# context:" in text.splitlines()[0]
    assert len(text.splitlines()) <= 80
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), "inline style or handler"
    assert "|safe" not in text
    assert "autoescape off" not in text
    assert not re.search(r"(?:src|href)=\"https?:", text), "everything comes from the viewer itself"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_small_and_evaluates_nothing(path: Path):
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 150
    assert not re.search(r"\beval\(|new Function|document\.write|https?://(?!\$)", text)


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb``, WCAG 2.2."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(params=["light", "dark"])
def tokens(request: pytest.FixtureRequest) -> dict[str, str]:
    blocks = re.findall(
        r"(?::root|\[data-bs-theme=\"dark\"\]) \{(.*?)\n\}", TOKENS.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(blocks) == 2
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[request.param == "dark"]))


def test_text_has_enough_contrast_on_every_ground(tokens: dict[str, str]):
    for ground in ("ground", "ground-page", "ground-raised", "accent-ground"):
        for text in ("text", "text-quiet", "accent"):
            assert contrast(tokens[text], tokens[ground]) >= 4.5, (text, ground)
    states = [name for name in tokens if name.startswith("state-")]
    assert len(states) == 5
    for state in states:
        for ground in ("ground", "ground-page", "ground-raised"):
            assert contrast(tokens[state], tokens[ground]) >= 4.5, (state, ground)
    assert contrast(tokens["chart-axis"], tokens["ground"]) >= 4.5


def test_the_lines_of_all_twelve_runs_can_be_seen_and_told_apart(tokens: dict[str, str]):
    colors = [tokens[f"run-{number}"] for number in range(12)]

    assert len(set(colors)) == 12
    for color in colors:
        assert contrast(color, tokens["ground"]) >= 3, color
