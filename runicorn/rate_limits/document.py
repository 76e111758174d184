"""The user's rate_limits.json: what it says, how it is checked, and how it is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runicorn import config
from runicorn.errors import InvalidInput, UnusableRoot
from runicorn.rate_limits.model import HeaderNames, Limit, RateLimits, Rule
from runicorn.storage.documents import read_document

FILE_NAME = "rate_limits.json"
#: Larger numbers are a slip, and counters of every cache hold them.
MAX_NUMBER = 10**9
#: What a header may be called (RFC 9110, 5.1).
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
#: The keys of settings.custom_headers, and the fields of HeaderNames.
HEADER_KEYS = {
    "rate_limit_header": "limit",
    "rate_limit_remaining_header": "remaining",
    "rate_limit_reset_header": "reset",
}
#: The values that 0.4.1 copied into every user's folder, by which such a copy is known.
_SHIPPED_DEFAULT = {"max_requests": 6000, "window_seconds": 60}

Document = dict[str, Any]


def limits_file() -> Path:
    """Where the user's file lies, or would lie."""
    return config.user_config_dir() / FILE_NAME


def read_limits() -> RateLimits:
    """The limits in force by the user's file. Raises UnreadableDocument, or InvalidInput with the first problem."""
    file = limits_file()
    document = read_document(file.parent, file.name) if file.parent.is_dir() else None
    return limits_from(document or {})


def change_limits(change: Callable[[Document], None]) -> RateLimits:
    """Change the user's file by ``change``, which edits the document in place; keys it does not touch stay.

    Returns what is in force afterwards. Raises UnreadableDocument, Conflict, UnusableRoot, or InvalidInput if the
    result would not be valid; nothing is written then.
    """

    def changed(document: Document) -> Document:
        if is_shipped_copy(document):
            document = _without_shipped_values(document)
        limits_from(document)  # so that ``change`` finds what it expects
        change(document)
        limits_from(document)
        return document

    return limits_from(config.change_user_document(FILE_NAME, changed))


def forget_limits() -> None:
    """Delete the user's file, also one that cannot be read. Raises UnusableRoot."""
    try:
        limits_file().unlink(missing_ok=True)
    except OSError as error:
        raise UnusableRoot(f"{limits_file()} cannot be deleted: {error.strerror}.") from error


def is_shipped_copy(document: Document) -> bool:
    """Whether this is what 0.4.1 copied into every user's folder and nobody chose: 6000/60, switched off."""
    default, settings = document.get("default"), document.get("settings")
    return (
        isinstance(default, dict)
        and isinstance(settings, dict)
        and {key: default.get(key) for key in _SHIPPED_DEFAULT} == _SHIPPED_DEFAULT
        and settings.get("enable_rate_limiting") is False
    )


def _without_shipped_values(document: Document) -> Document:
    kept = {key: value for key, value in document.items() if key not in ("default", "endpoints", "settings")}
    others = {key: value for key, value in document["settings"].items() if key != "enable_rate_limiting"}
    return {**kept, "settings": others}


def limits_from(document: Document) -> RateLimits:
    """What a document puts in force. Raises InvalidInput with the first problem, which names its place."""
    if is_shipped_copy(document):
        return RateLimits()
    values: dict[str, Any] = {}
    if "default" in document:
        values["default"] = _limit(document["default"], "default")
    endpoints = _object(document.get("endpoints", {}), "endpoints")
    values["user_limits"] = {prefix: _rule(prefix, entry) for prefix, entry in endpoints.items()}
    settings = _object(document.get("settings", {}), "settings")
    switches = {
        "enable_rate_limiting": "is_enabled",
        "log_violations": "log_violations",
        "whitelist_localhost": "whitelist_localhost",
    }
    for key, name in switches.items():
        if key in settings:
            values[name] = _switch(settings[key], f"settings.{key}")
    if "max_log_streams" in settings:
        values["max_log_streams"] = _positive(settings["max_log_streams"], "settings.max_log_streams")
    values["headers"] = _header_names(settings.get("custom_headers", {}))
    return RateLimits(**values)


def _rule(prefix: str, entry: object) -> Rule:
    place = f'endpoints."{prefix}"'
    if not prefix.startswith("/"):
        raise InvalidInput(f"{place} does not start with '/'; write it like '/api/runs'.")
    description = _object(entry, place).get("description")
    if description is not None and not isinstance(description, str):
        raise InvalidInput(f"{place}.description is {description!r}; give a text or leave it out.")
    return Rule(prefix.rstrip("/"), _limit(entry, place), description or "", is_users=True)


def _limit(entry: object, place: str) -> Limit:
    values = _object(entry, place)
    burst = values.get("burst_size")
    return Limit(
        max_requests=_positive(values.get("max_requests"), f"{place}.max_requests"),
        window_seconds=_positive(values.get("window_seconds", 60), f"{place}.window_seconds"),
        burst_size=None if burst is None else _positive(burst, f"{place}.burst_size"),
    )


def _header_names(value: object) -> HeaderNames:
    names = {}
    custom = _object(value, "settings.custom_headers")
    for key, name in HEADER_KEYS.items():
        if key not in custom:
            continue
        header = custom[key]
        if not isinstance(header, str) or not _HEADER_NAME.fullmatch(header):
            raise InvalidInput(f"settings.custom_headers.{key} is {header!r}; give the name of a header.")
        names[name] = header
    return HeaderNames(**names)


def _object(value: object, place: str) -> Document:
    if not isinstance(value, dict):
        raise InvalidInput(f"{place} is {value!r}; give an object.")
    return value


def _positive(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_NUMBER:
        raise InvalidInput(f"{place} is {value!r}; give a whole number from 1 to {MAX_NUMBER}.")
    return value


def _switch(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{place} is {value!r}; give true or false.")
    return value
