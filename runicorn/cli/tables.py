"""Tables and sizes as a terminal shows them."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence

_UNITS = ("B", "KB", "MB", "GB", "TB")


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns side by side, those numbered in ``right`` aligned at their end; wide characters count twice."""
    lines = [header, *rows]
    widths = [max(_columns(line[place]) for line in lines) for place in range(len(header))]
    return "\n".join(
        "  ".join(
            _padded(cell, width, at_end=place in right)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def format_size(size_bytes: int) -> str:
    """``97.66 MB``: two decimals, steps of 1024."""
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"


def format_time(seconds: float | None) -> str:
    """Local date and time of Unix seconds; empty for none."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def printable(text: str) -> str:
    """The text on one line, with nothing in it that would steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _padded(cell: str, width: int, *, at_end: bool) -> str:
    blanks = " " * (width - _columns(cell))
    return blanks + cell if at_end else cell + blanks


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
