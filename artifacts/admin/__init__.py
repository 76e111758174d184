"""The admin's pages of artifacts. Everything they change goes through services: files first, then rows."""

from artifacts.admin import artifacts, versions  # noqa: F401  (registered by being imported)
