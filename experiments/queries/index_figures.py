"""How much room the index takes, and how much of it is waste: what each database says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections, router

from experiments.models import Run


@dataclass(frozen=True)
class IndexFigures:
    """size_bytes: of the whole database, its log apart. fragmentation_pct: unused pages, or rows that are dead."""

    size_bytes: int
    fragmentation_pct: float


def index_figures() -> IndexFigures:
    connection = connections[router.db_for_read(Run)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_database_size(current_database()), coalesce(sum(n_dead_tup), 0),"
                " coalesce(sum(n_dead_tup + n_live_tup), 0) FROM pg_stat_user_tables"
            )
            size_bytes, unused, total = cursor.fetchone()
        else:
            cursor.execute(
                "SELECT page_size, freelist_count, page_count"
                " FROM pragma_page_size, pragma_freelist_count, pragma_page_count"
            )
            page_bytes, unused, total = cursor.fetchone()
            size_bytes = page_bytes * total
    return IndexFigures(int(size_bytes), round(100 * float(unused) / float(total), 2) if total else 0.0)
