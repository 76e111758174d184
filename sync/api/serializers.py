"""What requests about saved connections may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from experiments.http.errors import sentence
from runicorn.errors import InvalidInput
from sync.models import SshConnection
from sync.services import DEFAULT_PORT, MAX_PORT, ConnectionDetails


def _secret(help_text: str) -> serializers.CharField:
    return serializers.CharField(
        required=False, allow_blank=True, allow_null=True, trim_whitespace=False, help_text=help_text
    )


class ConnectionBody(serializers.Serializer[Any]):
    host = serializers.CharField()
    username = serializers.CharField()
    port = serializers.IntegerField(default=DEFAULT_PORT, min_value=1, max_value=MAX_PORT)
    name = serializers.CharField(default="", allow_blank=True)
    auth_method = serializers.ChoiceField(
        SshConnection.AuthMethod.values, default=str(SshConnection.AuthMethod.PASSWORD)
    )
    private_key_path = serializers.CharField(required=False, allow_blank=True, allow_null=True)
    remember_password = serializers.BooleanField(default=False)
    password = _secret("Not kept.")
    private_key = _secret("Not kept.")
    passphrase = _secret("Not kept.")


def parse_connection(body: Any) -> tuple[ConnectionDetails, bool]:
    """What to save, and whether secrets should be kept. Raises InvalidInput."""
    if not isinstance(body, Mapping) or not body.get("host") or not body.get("username"):
        raise InvalidInput("host and username are required")
    serializer = ConnectionBody(data=body)
    if not serializer.is_valid():
        raise InvalidInput(f"Failed to save connection: {sentence(serializer.errors)}")  # the reference's words
    values = serializer.validated_data
    details = ConnectionDetails(
        host=values["host"],
        username=values["username"],
        port=values["port"],
        name=values["name"],
        auth_method=values["auth_method"],
        private_key_path=values.get("private_key_path") or None,
    )
    return details, values["remember_password"]


def connection_item(connection: SshConnection) -> dict[str, Any]:
    item: dict[str, Any] = {
        "key": connection.key,
        "host": connection.host,
        "port": connection.port,
        "username": connection.username,
        "name": connection.name,
        "auth_method": connection.auth_method,
        # no secret is kept
        "remember_password": False,
        "has_password": False,
        "has_private_key": False,
    }
    if connection.private_key_path is not None:
        item["private_key_path"] = connection.private_key_path
    return item
