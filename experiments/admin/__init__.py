"""The admin's pages of this app. Everything they change goes through services: files first, then rows."""

from experiments.admin import overviews, runs  # noqa: F401  (registered by being imported)
