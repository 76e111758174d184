"""What all pages of the admin have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.text import capfirst

from experiments.access import may_administer

ROWS_PER_PAGE = 50


class MirrorAdmin(admin.ModelAdmin):
    """Rows of the mirror: to be looked at by whoever may administer, written by services alone."""

    list_per_page = ROWS_PER_PAGE
    list_max_show_all = 200
    # the number of all rows beside the number of those found, and a count behind each filter, would each read the table
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_display_links: Any = None
    empty_value_display = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_administer(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def column(name: str, label: Any, *, is_sortable: bool = True) -> Callable[[Any], Any]:
    """A field or property as it is, under a label that is translated."""

    def show(row: Any) -> Any:
        return getattr(row, name)

    show.__name__ = name  # the column's CSS class
    return admin.display(show, description=label, ordering=name if is_sortable else None)


def moment(at: float | None) -> str | None:
    """A file's time (Unix seconds) as the admin writes times: UTC, to the minute. A file may claim any number."""
    try:
        return None if at is None else date_format(datetime.fromtimestamp(at, tz=timezone.utc), "Y-m-d H:i")
    except (ValueError, OverflowError, OSError):
        return str(at)
