"""Values of documents that anybody may have written, taken for what they say or for nothing."""

from __future__ import annotations

import math
from typing import Any

from runicorn.storage import json_text

MAX_INTEGER = 2**63 - 1


def text(value: str) -> str:
    """``value`` as any database and encoder takes it: without lone surrogates and NUL."""
    if value.isascii() and "\x00" not in value:
        return value
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def optional_text(value: object) -> str | None:
    return text(value) if isinstance(value, str) else None


def number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def integer(value: object) -> int | None:
    """A signed 64-bit integer, or None."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INTEGER:
        return None
    return value


def plain(value: Any) -> Any:
    """JSON that every reader takes: non-finite numbers (bare or spelled) become null, texts are cleaned."""
    if isinstance(value, str):
        return None if value in json_text.NON_FINITE else text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return number(value)  # a float, as orjson reads it; the standard parser gives integers of any size
    if isinstance(value, dict):
        return {text(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
