"""What belongs to accounts. The accounts themselves are Django's users."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from experiments.fields import JsonTextField


class ApiToken(models.Model):
    """A secret by which a program acts as its owner. The secret itself is shown once and stored nowhere.

    digest: SHA-256 of the whole token. A token has 256 random bits, so a slow hash would add nothing.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="token_name_once_an_owner")]

    def __str__(self) -> str:
        return self.name


class ColumnWidths(models.Model):
    """How wide somebody made a table's columns, for one size of the window. Without an owner: everybody's."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    table = models.CharField(max_length=100)
    size = models.CharField(max_length=100, help_text="Of the window, such as 1600x900.")
    widths = JsonTextField(help_text="Pixels by column.")
    window_width = models.PositiveIntegerField(null=True)
    window_height = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "table", "size"], name="widths_once_an_owner"),
            # the constraint above lets NULL repeat
            models.UniqueConstraint(
                fields=["table", "size"], condition=models.Q(owner=None), name="widths_once_for_everybody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} at {self.size}"


class SetUpLink(models.Model):
    """The one link that makes the first account, while there is none. Only its digest is stored."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"set-up link until {self.expires_at:%Y-%m-%d %H:%M}"
