"""Searching a log file of any size, a piece a question, with an engine that takes linear time (RE2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import re2

from experiments.linear_regex import compile_linear
from experiments.logs.pages import open_log
from runicorn.errors import InvalidInput

MAX_HITS = 200
#: What one question looks through: the page asks on, shows how far it is, and may be left.
SEARCH_BYTES = 64 * 1024 * 1024
MAX_PATTERN_LETTERS = 1000
_PATTERN_BYTES = 8 * 1024 * 1024
_READ_BYTES = 4 * 1024 * 1024
#: Of a line, what is given around the place that was found.
_BYTES_BEFORE = 80
_BYTES_BEHIND = 240


@dataclass(frozen=True)
class Hit:
    """A line where the pattern was found. number: None as long as it is not counted.

    before, found, behind: the place in the line, its surroundings cut.
    """

    offset: int
    number: int | None
    before: str
    found: str
    behind: str


@dataclass(frozen=True)
class Search:
    """hits: in the bytes from the asked offset to ``searched``. size: of the file; all is searched if it is that."""

    hits: list[Hit]
    searched: int
    size: int


def log_pattern(text: str, *, is_regex: bool, match_case: bool = False) -> re2._Regexp:
    """What is searched for, as a program. Raises InvalidInput if it is empty, too long or no regular expression."""
    if not text or len(text) > MAX_PATTERN_LETTERS:
        raise InvalidInput(f"Give a text to search for, of at most {MAX_PATTERN_LETTERS} letters.")
    try:
        # a text, for an engine that reads UTF-8; what it searches are bytes
        return compile_linear(
            f"(?m:{text if is_regex else re2.escape(text)})",
            max_bytes=_PATTERN_BYTES,
            case_sensitive=match_case,
            never_crosses_lines=True,
        )
    except ValueError as error:
        raise InvalidInput(f"This cannot be searched for: {error}.") from None


def search_log(run_dir: Path, name: str, pattern: re2._Regexp, *, start: int) -> Search:
    """The next lines of the log from ``start`` on in which the pattern is found, each once.

    Ends after MAX_HITS lines or SEARCH_BYTES. Raises as ``open_log``.
    """
    with open_log(run_dir, name) as log:
        places, searched = _search(log.file, pattern, start, log.size)
        hits = [_hit(place, log.number_of(place.line_start)) for place in places]
        return Search(hits, searched, log.size)


@dataclass(frozen=True)
class _Place:
    line_start: int
    before: bytes
    found: bytes
    behind: bytes


def _search(file: BinaryIO, pattern: re2._Regexp, start: int, size: int) -> tuple[list[_Place], int]:
    places: list[_Place] = []
    end = min(size, start + SEARCH_BYTES)
    while start < end:
        file.seek(start)
        data = file.read(min(_READ_BYTES, size - start))
        whole = len(data) if start + len(data) >= size else data.rfind(b"\n") + 1 or len(data)
        place = 0
        while place < whole and (match := pattern.search(data, place, whole)) is not None:
            line_start = data.rfind(b"\n", 0, match.start()) + 1
            line_end = data.find(b"\n", match.start(), whole)
            line_end = whole if line_end < 0 else line_end
            first, last = match.start(), min(match.end(), line_end, match.start() + _BYTES_BEHIND)
            places.append(
                _Place(
                    start + line_start,
                    data[max(line_start, first - _BYTES_BEFORE) : first],
                    data[first:last],
                    data[last : min(line_end, last + _BYTES_BEHIND)],
                )
            )
            place = line_end + 1
            if len(places) == MAX_HITS:
                return places, start + min(place, whole)
        start += whole
    return places, start


def _hit(place: _Place, number: int | None) -> Hit:
    before, found, behind = (part.decode("utf-8", "replace") for part in (place.before, place.found, place.behind))
    return Hit(place.line_start, number, before, found, behind.removesuffix("\r"))
