"""Reads of saved connections."""

from __future__ import annotations

from sync.models import SshConnection


def saved_connections() -> list[SshConnection]:
    """The newest last."""
    return list(SshConnection.objects.all())


def find_connection(key: str) -> SshConnection | None:
    """key: in any of its forms. Compared, not taken apart: names and addresses may hold ``@`` and ``:``."""
    connections = saved_connections()
    named = [connection for connection in connections if connection.key == key]
    return next(iter(named or [other for other in connections if key in other.other_keys]), None)
