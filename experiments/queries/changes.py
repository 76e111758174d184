"""Reads of the change feed."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from experiments.models import Change, Run

#: One read takes at most so many rows; who is further behind is told to load anew.
MAX_ROWS = 2000

Notice = dict[str, Any]


def newest_sequence() -> int:
    """The sequence number of the last change, 0 if there never was one. The mirror's trimming keeps the last row."""
    return Change.objects.aggregate(newest=Max("pk"))["newest"] or 0


def changes_after(sequence: int) -> list[Notice] | None:
    """The changes behind ``sequence``, oldest first; None if they cannot be told: who asks loads anew.

    That is so when some of them are gone, when they are too many, or when another storage root is shown since.

    Each is ``{"seq", "run", "root", "path", "kind", "records"}``. run is "" for what is no run; root and path are null
    for a run that was removed.
    """
    rows = list(
        Change.objects.filter(pk__gt=sequence)
        .order_by("pk")
        .values_list("pk", "run_key", "run_id", "kind", "record_count", "root_key", "path")[: MAX_ROWS + 1]
    )
    # sequence numbers have no gaps, so the next one is there unless it was trimmed
    if len(rows) > MAX_ROWS or (rows and rows[0][0] != sequence + 1):
        return None
    if any(kind == Change.Kind.ROOTS for _, _, _, kind, *_ in rows):
        return None
    keys = {row[1] for row in rows if row[1] is not None}
    runs = Run.objects.filter(pk__in=keys).values_list("pk", "root__key", "path")
    places: dict[int | None, tuple[str | None, str | None]] = {pk: (root, path) for pk, root, path in runs}
    return [
        {"seq": pk, "run": run_id, "root": root, "path": path, "kind": kind, "records": records}
        for pk, run_key, run_id, kind, records, root_key, own_path in rows
        for root, path in (places.get(run_key, (root_key or None, own_path or None)),)
    ]
