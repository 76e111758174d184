"""Accounts' own things: API tokens and the link that makes the first account. Kept in the default database."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "experiments.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
