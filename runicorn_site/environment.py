"""What the settings take from the environment. A value that makes no sense is an error naming its variable.

The command line sets these for the processes it starts (``runicorn.cli.processes``):

    RUNICORN_DIR       the storage root (read by runicorn.config)
    RUNICORN_HOST      the address the web process is bound to; default 127.0.0.1
    RUNICORN_NO_AUTH   1: bound beyond loopback without login
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

import psutil
from django.core.exceptions import ImproperlyConfigured

LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]


def host() -> str:
    """The address the web process is bound to: an IP address or a name."""
    value = os.environ.get("RUNICORN_HOST", "127.0.0.1")
    if not value.strip() or "/" in value:
        raise ImproperlyConfigured(f"RUNICORN_HOST is {value!r}; set it to an address such as 127.0.0.1.")
    return value


def no_auth() -> bool:
    """True if the user opted out of login for an address beyond loopback."""
    value = os.environ.get("RUNICORN_NO_AUTH", "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"RUNICORN_NO_AUTH is {value!r}; set it to 0 or 1.")
    return value == "1"


def allowed_hosts(bound_to: str) -> list[str]:
    """The values of a Host header that are answered: another page's name that resolves to us (DNS rebinding) is not.

    An address of all interfaces allows this machine's names and addresses.
    """
    names = {*LOOPBACK_NAMES, _bracketed(bound_to)}
    if _is_any_address(bound_to):
        names |= {socket.gethostname(), f"{socket.gethostname()}.local"}
        names |= {
            _bracketed(address.address.partition("%")[0])
            for addresses in psutil.net_if_addrs().values()
            for address in addresses
            if address.family in (socket.AF_INET, socket.AF_INET6)
        }
    return sorted(name.lower() for name in names)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_any_address(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def secret_key(path: Path) -> str:
    """The key that signs cookies, kept in ``path`` for the owner only. Created at the first start."""
    if not path.is_file():
        _create_key(path)
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise ImproperlyConfigured(f"The key file {path} is empty; delete it and start again.")
    return key


def _create_key(path: Path) -> None:
    """Several processes start at once: each writes a file of its own, and the first to link it wins."""
    own = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        with suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink()
