"""Widths of table columns, remembered for an account, or for everybody where nobody logs in (owner None)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from experiments.accounts.models import ColumnWidths


@dataclass(frozen=True)
class TableLayout:
    """widths: pixels by column. size: of the window, as the page names it."""

    table: str
    size: str
    widths: Mapping[str, int]
    window_width: int | None = None
    window_height: int | None = None


def column_widths(owner: User | None, *, table: str, size: str) -> dict[str, int]:
    """What was saved; empty if nothing was."""
    saved = ColumnWidths.objects.filter(owner=owner, table=table, size=size).first()
    return saved.widths if saved is not None else {}


def save_column_widths(owner: User | None, layout: TableLayout, *, at: datetime) -> None:
    """Replace what was saved for that table and size."""
    ColumnWidths.objects.update_or_create(
        owner=owner,
        table=layout.table,
        size=layout.size,
        defaults={
            "widths": dict(layout.widths),
            "window_width": layout.window_width,
            "window_height": layout.window_height,
            "updated_at": at,
        },
    )


def reset_column_widths(owner: User | None, *, table: str, size: str | None) -> None:
    """Forget what was saved for a table; size: None for all sizes."""
    saved = ColumnWidths.objects.filter(owner=owner, table=table)
    (saved if size is None else saved.filter(size=size)).delete()
