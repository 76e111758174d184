"""Reads of what runs logged beside numbers."""

from __future__ import annotations

from experiments.models import Media, Run


def run_media(run: Run) -> list[Media]:
    """The run's images in log order."""
    return list(Media.objects.filter(run=run).order_by("pk"))
