"""What is remembered of remote machines. Secrets are in no table."""

from __future__ import annotations

from django.db import models


class SshConnection(models.Model):
    """A saved connection, known by (host, port, username)."""

    class AuthMethod(models.TextChoices):
        PASSWORD = "password"  # noqa: S105 (a way to log in, no secret)
        KEY = "key"
        AGENT = "agent"

    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    username = models.CharField(max_length=255)
    name = models.CharField(max_length=255, help_text="A label; may be empty.")
    auth_method = models.CharField(max_length=8, choices=AuthMethod.choices)
    private_key_path = models.TextField(null=True)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["saved_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["host", "port", "username"], name="connection_once")]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def key(self) -> str:
        """By which callers name it, in the documented form."""
        return f"{self.username}@{self.host}:{self.port}@{self.username}"

    @property
    def other_keys(self) -> tuple[str, str]:
        """Forms that are understood as well: the one that 0.4.1 stored, and that of a remote connection."""
        return f"{self.host}:{self.port}@{self.username}", f"{self.username}@{self.host}:{self.port}"


class ConnectionImport(models.Model):
    """That the connections in an older version's file were taken over: what is deleted here must not come back."""

    source = models.TextField(unique=True, help_text="Path of the file.")
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.source
