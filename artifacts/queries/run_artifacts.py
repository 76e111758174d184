"""Which versions a run created and used."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from artifacts.lineage import parse_subject
from artifacts.models import ArtifactVersion, LineageEdge
from artifacts.queries.artifacts import aliases_of
from artifacts.queries.subjects import versions_there
from experiments.models import Run

_WORDS = {LineageEdge.Kind.PRODUCES.value: "created", LineageEdge.Kind.USES.value: "used"}


def run_artifacts(run: Run) -> dict[str, list[dict[str, Any]]]:
    """The versions as API items, under ``created`` and ``used``, in the order in which the run recorded them."""
    items: dict[str, list[dict[str, Any]]] = {word: [] for word in _WORDS.values()}
    for edge, version, aliases in recorded_versions(
        run, list(LineageEdge.objects.filter(run=run).order_by("position"))
    ):
        items[_WORDS[edge.kind]].append(_recorded_item(edge) if version is None else _item(version, aliases))
    return items


def recorded_versions(
    run: Run, edges: Collection[LineageEdge]
) -> Iterator[tuple[LineageEdge, ArtifactVersion | None, list[str]]]:
    """For each of the run's edges the version it means, None if that is gone, and the aliases that name it now."""
    versions = versions_there(run.root_id, {parse_subject(edge.subject) for edge in edges if edge.subject})
    aliases = aliases_of({version.artifact_id for version in versions.values()})
    for edge in edges:
        version = versions.get(parse_subject(edge.subject)) if edge.subject else None
        named = {} if version is None else aliases.get(version.artifact_id, {})
        yield edge, version, [alias for alias, number in named.items() if number == edge.number]


def _item(version: ArtifactVersion, aliases: list[str]) -> dict[str, Any]:
    return {
        "name": version.artifact.name,
        "type": version.artifact.type,
        "version": version.number,
        "size_bytes": version.size_bytes,
        "created_at": version.created_at,
        "description": version.description,
        "aliases": aliases,
        "lifecycle_stage": version.stage,
    }


def _recorded_item(edge: LineageEdge) -> dict[str, Any]:
    """Of a version that is gone, the run's record speaks. One of use does not say when the version was made."""
    return {
        "name": edge.name,
        "type": edge.type,
        "version": edge.number,
        "size_bytes": edge.size_bytes,
        "created_at": edge.at if edge.kind == LineageEdge.Kind.PRODUCES else None,
        "description": "",
        "aliases": [],
        "lifecycle_stage": None,
    }
