"""Lineage edges: what each run recorded of the versions it created and used, kept as the runs' documents change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from artifacts.lineage import subject_of
from artifacts.models import LineageEdge
from experiments.mirror.apply import FollowedRun
from experiments.mirror.write import fit, insert

COLUMNS = ("root_id", "run_id", "kind", "position", "subject", "name", "type", "number", "size_bytes", "at")


def write_edges(runs: Sequence[FollowedRun]) -> None:
    """Replace the edges of runs whose documents were read. Called within the transaction that writes the runs."""
    known = [run.key for run in runs if not run.is_new]
    if known:
        LineageEdge.objects.filter(run__in=known).delete()
    rows = [row for run in runs for row in _rows(run)]
    insert(LineageEdge, COLUMNS, rows, key=("run_id", "kind", "position"))


def _rows(run: FollowedRun) -> Iterator[tuple[Any, ...]]:
    documents = {
        LineageEdge.Kind.PRODUCES.value: run.documents.artifacts_created,
        LineageEdge.Kind.USES.value: run.documents.artifacts_used,
    }
    for kind, records in documents.items():
        for position, record in enumerate(records):
            subject = subject_of(record.type, record.name, record.version)
            values = (fit(record.name), fit(record.type), record.version, record.size_bytes, record.at)
            yield run.root_key, run.key, kind, position, subject, *values
