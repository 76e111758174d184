"""Values from a training script, made into what JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from runicorn.storage.json_text import MAX_DEPTH

#: The event's own braces around a value count against MAX_DEPTH, too.
_VALUE_DEPTH = MAX_DEPTH - 4


class NotPlain(Exception):
    """A value that JSON cannot hold. The message is the name of its type, or what is wrong with it."""


def plain(value: Any, *, otherwise: Callable[[Any], Any] | None = None) -> Any:
    """``value`` with dicts, lists, strings, numbers, booleans and None only, fit for any JSON encoder.

    Scalars of numpy and torch (whatever has ``item()`` and one element) become Python numbers, non-finite numbers
    the strings "NaN", "Infinity", "-Infinity", tuples and sets lists, keys strings, lone surrogates "?".
    otherwise: what a value of any other type is turned into (such as ``str``).
    Raises NotPlain for other values, and for nesting beyond MAX_DEPTH (or a value that holds itself).
    """
    return _plain(value, otherwise, _VALUE_DEPTH)


def as_number(value: Any) -> float | int | None:
    """The real number a metric value means, or None if it is none. Booleans are no numbers, NaN is one."""
    kind = type(value)
    if kind is float or kind is int:
        return value  # type: ignore[no-any-return]  # just looked
    if kind is bool or value is None or isinstance(value, (str, bytes, Mapping)):
        return None
    scalar = value if isinstance(value, (int, float)) else _scalar(value)
    return scalar if isinstance(scalar, (int, float)) and not isinstance(scalar, bool) else None


def non_finite_text(value: float) -> str:
    """How a number that is not finite is written."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any, otherwise: Callable[[Any], Any] | None, depth: int) -> Any:
    if value is None or (isinstance(value, (bool, str, int, float)) and not isinstance(value, Enum)):
        return _plain_scalar(value)
    if depth == 0:
        raise NotPlain("a value nested too deeply")
    if isinstance(value, Mapping):
        return {plain_key(key): _plain(item, otherwise, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, otherwise, depth - 1) for item in value]
    if isinstance(value, Enum):
        return _plain(value.value, otherwise, depth - 1)
    scalar = _scalar(value)
    if scalar is not None:
        return _plain_scalar(scalar)
    if otherwise is not None:
        return _plain(otherwise(value), None, depth - 1)
    raise NotPlain(type(value).__name__)


def _plain_scalar(value: bool | str | int | float | None) -> bool | str | int | float | None:
    """Subclasses (np.float64, np.str_, a string enum's value) become the base type."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # lone surrogates come from file names in other encodings; UTF-8 cannot hold them
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else non_finite_text(value)


def _scalar(value: Any) -> bool | str | int | float | None:
    """What a scalar of numpy, torch, jax, decimal or fractions holds; None for everything else."""
    try:
        scalar = value.item() if hasattr(value, "item") else float(value) if hasattr(value, "__float__") else None
    except (TypeError, ValueError, RuntimeError, OverflowError):  # arrays of several elements; each library its own
        return None
    return scalar if isinstance(scalar, (bool, str, int, float)) else None


def plain_key(key: Any) -> str:
    """A dict's key as JSON can hold it."""
    return str(key.value if isinstance(key, Enum) else key).encode("utf-8", "replace").decode("utf-8")
