"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from runicorn import config
from runicorn.errors import InvalidInput

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 23300


def storage_option(function: Decorated) -> Decorated:
    """``--storage PATH`` after the command. Turned into a path by ``chosen_root``."""
    return click.option("--storage", metavar="PATH", help="The storage root (default: RUNICORN_DIR, …).")(function)


def address_options(function: Decorated) -> Decorated:
    """``--host``, ``--port`` and ``--no-auth``: where the web process listens, and for whom."""
    function = click.option(
        "--no-auth", is_flag=True, help="Serve an address beyond loopback without login: whoever reaches it sees all."
    )(function)
    function = click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)(function)
    return click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")(function)


def is_confirmed(question: str, *, yes: bool) -> bool:
    """Ask, unless ``--yes`` was given. Raises InvalidInput where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise InvalidInput("This asks before it goes on, and nobody can answer here; add --yes.")
    return click.confirm(question)


def root_is_named(storage: str | None) -> bool:
    """Whether ``--storage`` or RUNICORN_DIR names the storage root; else it is what the user stored."""
    return storage is not None or click.get_current_context().obj is not None or config.root_in_environment()


def chosen_root(storage: str | None) -> str:
    """The absolute path of the storage root: ``--storage`` after the command, else before it, else the usual ranks.

    The folder exists afterwards. Raises InvalidInput or UnusableRoot.
    """
    explicit = storage if storage is not None else click.get_current_context().obj
    return str(config.resolve_storage_root(explicit))
