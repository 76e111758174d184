"""What the server remembers for its users."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Configuration(serializers.Serializer[Any]):
    user_root_dir = serializers.CharField(help_text="The storage root that the user stored; empty if none is.")
    storage = serializers.CharField(help_text="The storage root that is shown.")
    config_file = serializers.CharField()
    version = serializers.CharField()
    api_version = serializers.CharField()


class UserRoot(serializers.Serializer[Any]):
    user_root_dir = serializers.CharField()
    storage = serializers.CharField(help_text="The storage root that is shown from now on.")
    notice = serializers.CharField(
        required=False, help_text="Where the viewer was started with a root of its own: what its next start shows."
    )


class ColumnWidths(serializers.Serializer[Any]):
    table = serializers.CharField()
    size = serializers.CharField()
    widths = serializers.DictField(child=serializers.IntegerField(), help_text="Pixels by column.")
