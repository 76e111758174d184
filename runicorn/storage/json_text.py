"""JSON as we write and read it: orjson where it is installed, the standard library where it is not.

Written text is always valid JSON: non-finite numbers become the strings "NaN", "Infinity", "-Infinity".
Read text may also hold the bare tokens that older writers left.
"""

from __future__ import annotations

import json
from typing import Any

try:
    import orjson
except ImportError:  # a training machine without wheels for it
    orjson = None  # type: ignore[assignment]

#: How a non-finite number is written.
NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
#: Nesting that a document may have; deeper ones are refused before Python's own recursion limit.
MAX_DEPTH = 200


def loads(text: bytes) -> Any:
    """Parse one JSON value. Accepts the bare tokens NaN, Infinity and -Infinity.

    Raises ValueError if the text is not JSON, is not UTF-8, or is nested deeper than the parser can follow; that is
    at least MAX_DEPTH.
    """
    if orjson is not None:
        try:
            return orjson.loads(text)
        except ValueError:
            if b"NaN" not in text and b"Infinity" not in text:
                raise
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return json.loads(text.decode("utf-8"))


def is_too_deep(value: Any) -> bool:
    """Whether a parsed value is nested deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return any(isinstance(value, (dict, list)) for value in level)


def _depth(text: bytes) -> int:
    """An upper bound of the nesting, counted without parsing (brackets in strings count too)."""
    deepest = depth = 0
    for byte in text:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def dumps_pretty(value: Any) -> bytes:
    """Encode a document that people read: UTF-8, two blanks of indent. ``value`` must be plain JSON already.

    Raises TypeError or ValueError if it is not.
    """
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).encode("utf-8", "surrogatepass") + b"\n"


def dumps_large(value: Any) -> bytes:
    """As dumps_pretty, ten times as fast where orjson is installed, for values without non-finite numbers."""
    return dumps_pretty(value) if orjson is None else _dumps_indented(value)


def _dumps_indented(value: Any) -> bytes:
    text: bytes = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return text
