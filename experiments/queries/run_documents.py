"""What is read from a run's own files when somebody asks for it, and not kept in the index."""

from __future__ import annotations

from typing import Any

from experiments.access import run_directory
from experiments.models import Run
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document
from runicorn.storage.values import plain


def environment_of(run: Run) -> dict[str, Any] | None:
    """What the run recorded of its environment; None if it recorded nothing, or nothing that can be read."""
    try:
        environment = read_document(run_directory(run), layout.ENVIRONMENT)
    except UnreadableDocument:
        return None
    return None if environment is None else plain(environment)
