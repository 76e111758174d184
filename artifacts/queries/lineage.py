"""Where a version comes from and what came of it: its lineage, out of what runs recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from artifacts.lineage import Subject, parse_subject
from artifacts.models import ArtifactVersion, LineageEdge
from artifacts.queries.artifacts import slices
from artifacts.queries.subjects import VersionFacts, facts_there
from experiments.models import Run

#: Generations of versions that one answer goes back and forth at most.
MAX_DEPTH = 10
PRODUCES = LineageEdge.Kind.PRODUCES.value
USES = LineageEdge.Kind.USES.value


class Link(NamedTuple):
    """Of a run and a version: the run created it (``produces``) or used it (``uses``). at: Unix seconds, if known."""

    kind: str
    run: str
    version: Subject
    at: float | None


class RunFacts(NamedTuple):
    """What a graph tells of a run. deleted_at: in the recycle bin since then, Unix seconds."""

    project: str | None
    name: str | None
    display_name: str | None
    deleted_at: float | None
    color: str | None


@dataclass
class Lineage:
    """A part of the graph of one storage root, around ``start``.

    versions, runs: each with its generation, that of ``start`` being 0; what it comes from has lower numbers. A run
    stands between two generations of versions and has the number of the earlier one.
    """

    root: int
    start: Subject
    versions: dict[Subject, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    links: dict[tuple[str, str, Subject], Link] = field(default_factory=dict)
    stored: dict[Subject, VersionFacts] = field(default_factory=dict)
    known_runs: dict[str, RunFacts] = field(default_factory=dict)
    #: What a record says of a version that is not stored: its bytes.
    recorded_sizes: dict[Subject, int | None] = field(default_factory=dict)


def lineage_of(version: ArtifactVersion, *, max_depth: int) -> Lineage:
    """Ancestors and descendants of a version, at most ``max_depth`` generations of versions away; cycles end the walk.

    Siblings are neither: what else an ancestor led to is left out. Runs in the recycle bin count, and so do versions.
    """
    start = Subject(version.artifact.type, version.artifact.name, version.number)
    graph = Lineage(version.artifact.root_id, start, versions={start: 0})
    for step in (-1, 1):
        frontier, seen = {start}, {start}
        for generation in range(1, max_depth + 1):
            found = _next_generation(graph, frontier, step, generation)
            frontier = found - seen
            seen |= frontier
    _load(graph)
    return graph


def _next_generation(graph: Lineage, frontier: Collection[Subject], step: int, generation: int) -> set[Subject]:
    """What the versions of ``frontier`` were made from (step -1), or what was made from them (1)."""
    towards, onwards = (PRODUCES, USES) if step < 0 else (USES, PRODUCES)
    links = [*_links_of_versions(graph, frontier, towards)]
    if step < 0:
        links += _makers_by_the_version(graph, frontier, {link.version for link in links})
    runs = {link.run for link in links}
    for run in runs:
        graph.runs.setdefault(run, -generation if step < 0 else generation - 1)
    further = [*_links_of_runs(graph, runs, onwards)]
    for link in (*links, *further):
        graph.links.setdefault((link.kind, link.run, link.version), link)
    found = {link.version for link in further}
    for subject in found:
        graph.versions.setdefault(subject, step * generation)
    return found


def _links_of_versions(graph: Lineage, versions: Collection[Subject], kind: str) -> Iterator[Link]:
    for some in slices([str(subject) for subject in versions]):
        yield from _links(graph, LineageEdge.objects.filter(root=graph.root, subject__in=some, kind=kind))


def _links_of_runs(graph: Lineage, run_ids: Collection[str], kind: str) -> Iterator[Link]:
    for some in slices(run_ids):
        runs = Run.objects.filter(root=graph.root, run_id__in=some)
        edges = LineageEdge.objects.filter(run__in=runs, kind=kind).exclude(subject="")
        yield from _links(graph, edges)


def _links(graph: Lineage, edges: Any) -> Iterator[Link]:
    for kind, run_id, text, at, size in edges.values_list("kind", "run__run_id", "subject", "at", "size_bytes"):
        subject = parse_subject(text)
        graph.recorded_sizes.setdefault(subject, size)
        yield Link(kind, run_id, subject, at)


def _makers_by_the_version(
    graph: Lineage, versions: Collection[Subject], recorded: Collection[Subject]
) -> Iterator[Link]:
    """Runs that versions name as their makers, where no run's record does: its folder may be gone, or elsewhere."""
    missing = {subject for subject in versions if subject not in recorded}
    for subject, version in facts_there(graph.root, missing).items():
        if version.created_by_run:
            yield Link(PRODUCES, version.created_by_run, subject, version.created_at)


def _load(graph: Lineage) -> None:
    graph.stored = facts_there(graph.root, graph.versions)
    for some in slices(graph.runs):
        runs = Run.objects.filter(root=graph.root, run_id__in=some)
        for run_id, *facts in runs.values_list("run_id", *RunFacts._fields):
            graph.known_runs[run_id] = RunFacts(*facts)


def lineage_item(graph: Lineage) -> dict[str, Any]:
    """The graph as the API gives it, the start first."""
    ids = _ids(graph)
    return {
        "root_artifact": ids[graph.start],
        "nodes": [
            *(_version_node(graph, subject, ids[subject]) for subject in graph.versions),
            *(_run_node(run_id, graph.known_runs.get(run_id)) for run_id in graph.runs),
        ],
        "edges": [
            {
                "source": link.run if link.kind == PRODUCES else ids[link.version],
                "target": ids[link.version] if link.kind == PRODUCES else link.run,
                "edge_type": link.kind,
                "created_at": link.at,
            }
            for link in graph.links.values()
        ],
    }


def _ids(graph: Lineage) -> dict[Subject, str]:
    """``name:vN``, or the whole subject where another version of the graph, of another type, has that already."""
    ids: dict[Subject, str] = {}
    taken: set[str] = set()
    for subject in graph.versions:
        short = f"{subject.name}:v{subject.number}"
        ids[subject] = str(subject) if short in taken else short
        taken.add(ids[subject])
    return ids


def _version_node(graph: Lineage, subject: Subject, node_id: str) -> dict[str, Any]:
    version = graph.stored.get(subject)
    metadata: dict[str, Any] = {"type": subject.type, "size": graph.recorded_sizes.get(subject)}
    if version is None:
        metadata["missing"] = True
    else:
        metadata |= {"size": version.size_bytes, "created_at": version.created_at}
        if version.deleted_at is not None:
            metadata["deleted"] = True
    return {
        "node_type": "artifact",
        "node_id": node_id,
        "label": f"{subject.name}:v{subject.number}",
        "metadata": metadata,
    }


def _run_node(run_id: str, run: RunFacts | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"run_id": run_id, "project": None, "name": None}
    if run is None:
        metadata["missing"] = True
    else:
        metadata |= {"project": run.project, "name": run.name}
        if run.deleted_at is not None:
            metadata["deleted"] = True
    label = run_id if run is None else run.display_name or run.name or run_id
    return {"node_type": "run", "node_id": run_id, "label": label, "metadata": metadata}
