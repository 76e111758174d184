"""Which folders are shown."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from experiments.models import StorageRoot


def local_root_path() -> Path:
    """The storage root of this viewer: what was switched to while it runs, else what it was started with."""
    path = StorageRoot.objects.filter(key=StorageRoot.LOCAL).values_list("path", flat=True).first()
    return Path(path) if path is not None else settings.RUNICORN_STORAGE_ROOT
