"""Reads of accounts' own things."""

from __future__ import annotations

from django.contrib.auth.models import User

from experiments.accounts.models import ApiToken


def tokens_of(owner: User) -> list[ApiToken]:
    """The owner's API tokens, newest first, the expired among them."""
    return list(ApiToken.objects.filter(owner=owner))
