"""What the tab of artifacts on a run's page shows: which versions the run created and used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artifacts.models import ArtifactVersion, LineageEdge
from artifacts.queries.links import ambiguous_names, artifact_address
from artifacts.queries.run_artifacts import recorded_versions
from experiments.models import Run

#: Lines of each table; the API gives the others.
MAX_LINES = 500


@dataclass(frozen=True)
class RunArtifactRow:
    """A line of the run's records. number: None if the record does not say. at: when the run created or used it.

    Of a version that is gone (``is_there`` is False) the record speaks; it has no page.
    """

    name: str
    type: str
    number: int | None
    size_bytes: int | None
    at: float | None
    stage: str
    aliases: list[str]
    address: str
    is_there: bool
    is_deleted: bool


@dataclass(frozen=True)
class RunArtifactTable:
    """Versions in the order in which the run recorded them. left_out: how many more there are."""

    rows: list[RunArtifactRow]
    left_out: int


@dataclass(frozen=True)
class RunArtifacts:
    created: RunArtifactTable
    used: RunArtifactTable


def run_artifact_tables(run: Run) -> RunArtifacts:
    """``root`` is loaded."""
    edges = {kind: LineageEdge.objects.filter(run=run, kind=kind).order_by("position") for kind in LineageEdge.Kind}
    shown = {kind: list(found[:MAX_LINES]) for kind, found in edges.items()}
    rows = _rows(run, [edge for some in shown.values() for edge in some])
    tables = {
        kind: RunArtifactTable(
            rows=[rows[edge.pk] for edge in some],
            left_out=edges[kind].count() - MAX_LINES if len(some) == MAX_LINES else 0,
        )
        for kind, some in shown.items()
    }
    return RunArtifacts(created=tables[LineageEdge.Kind.PRODUCES], used=tables[LineageEdge.Kind.USES])


def _rows(run: Run, edges: Sequence[LineageEdge]) -> dict[int, RunArtifactRow]:
    """By LineageEdge.pk."""
    recorded = list(recorded_versions(run, edges))
    ambiguous = ambiguous_names({version.artifact.name for _, version, _ in recorded if version is not None})
    rows = {}
    for edge, version, aliases in recorded:
        if version is None:
            rows[edge.pk] = _recorded_row(edge)
            continue
        address = artifact_address(version.artifact.type, run.root.key, is_ambiguous=version.artifact.name in ambiguous)
        rows[edge.pk] = _row(edge, version, aliases, address)
    return rows


def _row(edge: LineageEdge, version: ArtifactVersion, aliases: list[str], address: str) -> RunArtifactRow:
    return RunArtifactRow(
        name=version.artifact.name,
        type=version.artifact.type,
        number=version.number,
        size_bytes=version.size_bytes,
        at=edge.at,
        stage=version.stage,
        aliases=aliases,
        address=address,
        is_there=True,
        is_deleted=version.is_deleted,
    )


def _recorded_row(edge: LineageEdge) -> RunArtifactRow:
    return RunArtifactRow(
        name=edge.name,
        type=edge.type or "",
        number=edge.number,
        size_bytes=edge.size_bytes,
        at=edge.at,
        stage="",
        aliases=[],
        address="",
        is_there=False,
        is_deleted=False,
    )
