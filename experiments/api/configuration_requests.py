"""What requests of section G may say. A value that is refused becomes a 400 with one sentence."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.accounts.column_widths import TableLayout
from experiments.api.serializers import QuerySerializer
from runicorn.errors import InvalidInput

MAX_NAME = 100
MAX_COLUMNS = 500
#: Wider than any screen.
MAX_PIXELS = 100_000


def _pixels(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=MAX_PIXELS, **options)


class ColumnWidthsQuery(QuerySerializer):
    table = serializers.CharField(max_length=MAX_NAME)
    size = serializers.CharField(max_length=MAX_NAME)


class ColumnWidthsResetQuery(QuerySerializer):
    table = serializers.CharField(max_length=MAX_NAME)
    size = serializers.CharField(max_length=MAX_NAME, required=False, help_text="Without it: all sizes.")


class ColumnWidthsBody(serializers.Serializer[Any]):
    table = serializers.CharField(max_length=MAX_NAME)
    size = serializers.CharField(max_length=MAX_NAME, help_text="Of the window, such as 1600x900.")
    widths = serializers.DictField(child=_pixels(), help_text="Pixels by column.")
    window_width = _pixels(required=False, allow_null=True)
    window_height = _pixels(required=False, allow_null=True)

    def validate_widths(self, widths: dict[str, int]) -> dict[str, int]:
        if len(widths) > MAX_COLUMNS:
            raise serializers.ValidationError(f"At most {MAX_COLUMNS} columns.")
        if not all(name.isprintable() and len(name) <= MAX_NAME for name in widths):
            raise serializers.ValidationError(f"Columns have names of at most {MAX_NAME} printable characters.")
        return widths


class UserRootBody(serializers.Serializer[Any]):
    path = serializers.CharField(allow_blank=True, help_text="Absolute path of a folder; it is created.")


class ConfigurationBody(serializers.Serializer[Any]):
    user_root_dir = serializers.CharField(required=False, allow_blank=True, help_text="As path of user_root_dir.")
    user_root = serializers.CharField(required=False, allow_blank=True, help_text="Another name of user_root_dir.")


def parse_user_root(body: Any) -> str:
    """Raises ValidationError."""
    serializer = UserRootBody(data=body)
    serializer.is_valid(raise_exception=True)
    path: str = serializer.validated_data["path"]
    return path


def parse_configuration(body: Any) -> str:
    """The storage root that is wanted. Raises InvalidInput, ValidationError."""
    serializer = ConfigurationBody(data=body)
    serializer.is_valid(raise_exception=True)
    values = serializer.validated_data
    path: str | None = values.get("user_root_dir", values.get("user_root"))
    if path is None:
        raise InvalidInput("user_root_dir is required; nothing else can be set here.")
    return path


def parse_table_layout(body: Any) -> TableLayout:
    """Raises ValidationError."""
    serializer = ColumnWidthsBody(data=body)
    serializer.is_valid(raise_exception=True)
    return TableLayout(**serializer.validated_data)
