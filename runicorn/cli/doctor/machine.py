"""What lies around the installation: versions, the key store, the port, the user's limits."""

from __future__ import annotations

import http.client
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from runicorn import __version__
from runicorn.cli.addresses import Address, free_address
from runicorn.cli.doctor.findings import Finding, error, ok, warning
from runicorn.errors import PortTaken, RunicornError
from runicorn.rate_limits import document

#: What this version is tested with.
OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)
DJANGO = "5.2"
#: What Django 5.2 asks for.
OLDEST_SQLITE = (3, 31, 0)
ANSWER_TIMEOUT_S = 3.0
#: A key store that is worth the name has at least this priority by keyring's own rules.
OLDEST_PRIORITY = 1


def versions() -> Iterator[Finding]:
    python = platform.python_version()
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        yield ok("Runicorn", f"{__version__} on Python {python}.")
    else:
        yield warning("Runicorn", f"{__version__} is not tested with Python {python}.", "Use Python 3.10 to 3.13.")
    django = metadata.version("django")
    if django == DJANGO or django.startswith(f"{DJANGO}."):
        yield ok("Django", f"{django}.")
    else:
        yield error(
            "Django", f"{django} is installed, {DJANGO} is needed.", "Install Runicorn into an environment of its own."
        )
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        yield ok("SQLite", f"{sqlite3.sqlite_version}.")
    else:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        yield error(
            "SQLite",
            f"{sqlite3.sqlite_version} is too old; {oldest} is needed.",
            "Use a Python that brings a newer one.",
        )


def key_store() -> Iterator[Finding]:
    """Where passwords of connections would be kept."""
    import keyring  # not at the top: it looks for the key stores of this machine

    backend: Any = keyring.get_keyring()
    candidates = list(getattr(backend, "backends", [])) or [backend]  # a chain asks several
    found = next((one for one in candidates if _is_key_store(one)), None)
    if found is not None:
        yield ok("key store", f"Passwords can be kept in {found.name}.")
        return
    yield warning(
        "key store",
        "There is no key store of the operating system; passwords are remembered until the process ends.",
        "Log in with SSH keys, or set up a key store (Linux: gnome-keyring or KWallet, unlocked).",
    )


def _is_key_store(backend: Any) -> bool:
    """keyrings.alt writes passwords into plain or weakly hidden files."""
    return backend.priority >= OLDEST_PRIORITY and not type(backend).__module__.startswith("keyrings.alt")


def rate_limits() -> Iterator[Finding]:
    try:
        limits = document.read_limits()
    except RunicornError as problem:
        yield error(
            "rate limits",
            f"{document.limits_file()} is not valid: {problem}",
            "Correct it and try `runicorn rate-limit --action validate`, or `--action reset`.",
        )
        return
    yield ok("rate limits", f"{limits.default} by default." if limits.is_enabled else "Switched off by the user.")


def port(host: str, number: int, root: Path) -> tuple[list[Finding], bool]:
    """Who listens where the viewer would, and whether that is the viewer of this root."""
    try:
        free_address(host, number)
    except PortTaken:
        pass
    except RunicornError as problem:
        return [error("port", str(problem), "Choose another one with --host and --port.")], False
    else:
        return [ok("port", f"{number} is free.")], False
    health = _health(Address(host, host, number))
    if health is None:
        way_out = "Stop it, or start the viewer with another --port."
        return [warning("port", f"Another program listens on {host} port {number}.", way_out)], False
    if "storage" not in health:
        message = f"A Runicorn viewer with log-in answers on port {number}."
        return [ok("port", message)], False
    if os.path.realpath(health["storage"]) != os.path.realpath(root):
        message = f"The viewer on port {number} shows {health['storage']}."
        return [warning("port", message, "Start the one of this root with another --port.")], False
    if health.get("version") != __version__:
        message = f"The viewer on port {number} runs version {health.get('version')}; {__version__} is installed."
        return [warning("port", message, "Start it anew.")], True
    return [ok("port", f"The viewer of this root answers on port {number}.")], True


def _health(address: Address) -> dict[str, Any] | None:
    """What a Runicorn viewer says of itself; None if it is none, or does not answer."""
    connection = http.client.HTTPConnection(address.reachable_ip, address.port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/api/health")
        answer = json.loads(connection.getresponse().read(100_000))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and answer.get("status") == "ok" else None
