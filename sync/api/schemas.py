"""Saved connections, as they are answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sync.models import SshConnection


class SavedConnection(serializers.Serializer[Any]):
    key = serializers.CharField()
    host = serializers.CharField()
    port = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField(help_text="A label; may be empty.")
    auth_method = serializers.ChoiceField(SshConnection.AuthMethod.values)
    remember_password = serializers.BooleanField()
    has_password = serializers.BooleanField()
    has_private_key = serializers.BooleanField()
    private_key_path = serializers.CharField(required=False, help_text="Only where there is one.")


class SavedConnections(serializers.Serializer[Any]):
    connections = serializers.ListField(child=SavedConnection(), help_text="The newest last.")


class ConnectionDetails(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    connection = SavedConnection()


class ConnectionSaved(serializers.Serializer[Any]):
    key = serializers.CharField()
    remember_password = serializers.BooleanField(help_text="Whether the secrets are kept.")
