"""Saving and forgetting connections, and taking over those of older versions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, router, transaction

from runicorn import config
from runicorn.errors import InvalidInput, NotFound, UnreadableDocument
from sync.models import ConnectionImport, SshConnection
from sync.queries import find_connection

logger = logging.getLogger(__name__)

DEFAULT_PORT = 22
MAX_PORT = 65_535
MAX_NAME = 255
MAX_PATH = 4096
#: Where older versions kept connections in config.json.
_ENTRIES = "ssh_connections"


@dataclass(frozen=True)
class ConnectionDetails:
    """What is saved of a connection; no secrets."""

    host: str
    username: str
    port: int = DEFAULT_PORT
    name: str = ""
    auth_method: str = SshConnection.AuthMethod.PASSWORD
    private_key_path: str | None = None


def save_connection(details: ConnectionDetails, *, at: datetime) -> SshConnection:
    """Replaces the connection with the same host, port and username. Raises InvalidInput."""
    _check(details)
    connection, _ = SshConnection.objects.update_or_create(
        host=details.host, port=details.port, username=details.username, defaults=_columns(details, at)
    )
    return connection


def delete_connection(key: str) -> None:
    """key: in any of its forms. Raises NotFound."""
    connection = find_connection(key)
    if connection is None:
        raise NotFound(f"Connection not found: {key}")  # the reference's words
    connection.delete()


def import_connections_once(*, at: datetime) -> None:
    """Take over the connections that older versions kept in config.json, without their secrets; the file stays.

    Done for a file once, when it first has some. What was saved here meanwhile wins; an entry that makes no sense is
    left out.
    """
    source = str(config.user_config_file())
    if ConnectionImport.objects.filter(source=source).exists():
        return
    try:
        entries = config.read_user_config().get(_ENTRIES)
    except UnreadableDocument:
        logger.warning("The saved connections in %s cannot be read; they are taken over when it is mended.", source)
        return
    if not isinstance(entries, list) or not entries:
        return
    found = [details for entry in entries if (details := _from_entry(entry)) is not None]
    try:
        with transaction.atomic(using=router.db_for_write(SshConnection)):
            ConnectionImport.objects.create(source=source, imported_at=at)
            for details in found:
                SshConnection.objects.get_or_create(
                    host=details.host, port=details.port, username=details.username, defaults=_columns(details, at)
                )
    except IntegrityError:
        pass  # another request was faster by a moment


def _columns(details: ConnectionDetails, at: datetime) -> dict[str, Any]:
    return {
        "name": details.name,
        "auth_method": details.auth_method,
        "private_key_path": details.private_key_path,
        "saved_at": at,
    }


def _check(details: ConnectionDetails) -> None:
    """Raises InvalidInput for what no SSH client takes, or takes for an option."""
    for field, text in (("host", details.host), ("username", details.username)):
        if not text.isprintable() or any(character in text for character in " /\\") or text.startswith("-"):
            raise InvalidInput(f"Failed to save connection: the {field} {text!r} has characters that no {field} has.")
        if not 0 < len(text) <= MAX_NAME:
            raise InvalidInput(f"Failed to save connection: a {field} has 1 to {MAX_NAME} characters.")
    if not 0 < details.port <= MAX_PORT:
        raise InvalidInput(f"Failed to save connection: port {details.port} is not between 1 and {MAX_PORT}.")
    if details.auth_method not in SshConnection.AuthMethod.values:
        methods = ", ".join(SshConnection.AuthMethod.values)
        raise InvalidInput(f"Failed to save connection: auth_method {details.auth_method!r} is none of {methods}.")
    if not details.name.isprintable() or len(details.name) > MAX_NAME:
        raise InvalidInput(f"Failed to save connection: a name has at most {MAX_NAME} printable characters.")
    path = details.private_key_path or ""
    if not path.isprintable() or len(path) > MAX_PATH:
        raise InvalidInput(f"Failed to save connection: private_key_path has at most {MAX_PATH} printable characters.")


def _from_entry(entry: object) -> ConnectionDetails | None:
    """A connection as older versions wrote it down; None if it makes no sense."""
    if not isinstance(entry, Mapping):
        return None
    host, username, port = entry.get("host"), entry.get("username"), entry.get("port", DEFAULT_PORT)
    if not isinstance(host, str) or not isinstance(username, str) or not isinstance(port, int):
        return None
    details = ConnectionDetails(
        host=host,
        username=username,
        port=port,
        name=_text(entry.get("name")) or "",
        auth_method=_text(entry.get("auth_method")) or SshConnection.AuthMethod.PASSWORD,
        private_key_path=_text(entry.get("private_key_path")),
    )
    try:
        _check(details)
    except InvalidInput:
        return None
    return details


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
