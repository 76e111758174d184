"""What the lineage tab of a version shows: the graph as boxes and curves, and the same graph as two indented lists."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from django.urls import reverse

from artifacts.lineage import Subject
from artifacts.models import ArtifactVersion
from artifacts.queries.lineage import MAX_DEPTH, PRODUCES, Lineage, lineage_of
from artifacts.queries.links import RunLink, ambiguous_names, artifact_address, query_of, run_links
from runicorn.storage.run_colors import color_number

DEFAULT_DEPTH = 3
#: Boxes of one picture; those that are nearest to the version are drawn.
MAX_NODES = 200

#: In units of the picture, which are CSS pixels.
NODE_WIDTH, NODE_HEIGHT = 216, 44
COLUMN_GAP, ROW_GAP, MARGIN = 48, 12, 8

#: A version, or a run by its id.
Key = Subject | str
Neighbours = dict[Key, list[Key]]
#: The left upper corner of a node.
Place = tuple[int, int]


@dataclass(frozen=True)
class LineageNode:
    """A box. type and size_bytes are of versions, run and place (``project / experiment``) of runs.

    address: of its page, empty if it has none. is_there: False for what only records name. x, y: of its left upper
    corner.
    """

    title: str
    address: str
    is_there: bool
    is_deleted: bool
    is_start: bool
    x: int
    y: int
    type: str = ""
    size_bytes: int | None = None
    run: str = ""
    place: str = ""
    color_number: int = 0


@dataclass(frozen=True)
class LineageBranch:
    """A node of an indented list and what lies beyond it. is_repeated: it stands further up, with its branches."""

    node: LineageNode
    is_repeated: bool
    branches: list[LineageBranch]


@dataclass(frozen=True)
class LineagePage:
    """depth: generations of versions each way. hidden: how many nodes are not among ``nodes``.

    lines: SVG paths, from what was there first to what came of it.
    """

    depth: int
    nodes: list[LineageNode]
    lines: list[str]
    origins: list[LineageBranch]
    results: list[LineageBranch]
    hidden: int
    width: int
    height: int
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT

    @property
    def fewer(self) -> int:
        """The next smaller depth, or 0."""
        return self.depth - 1

    @property
    def more(self) -> int:
        """The next larger depth, or 0."""
        return self.depth + 1 if self.depth < MAX_DEPTH else 0


def lineage_page(version: ArtifactVersion, *, depth: str | None) -> LineagePage:
    """version: with its ``artifact`` and that one's ``root`` loaded. depth: as the address has it."""
    generations = min(max(int(depth), 1), MAX_DEPTH) if depth and re.fullmatch("[0-9]{1,3}", depth) else DEFAULT_DEPTH
    graph = lineage_of(version, max_depth=generations)
    columns = _columns(graph)
    nearest = sorted(columns, key=lambda key: (abs(columns[key]), str(key)))
    shown = set(nearest[:MAX_NODES])
    steps = [step for step in _steps(graph) if shown.issuperset(step)]
    earlier: Neighbours = defaultdict(list)
    later: Neighbours = defaultdict(list)
    for source, target in steps:
        earlier[target].append(source)
        later[source].append(target)
    places = _places({key: columns[key] for key in shown}, earlier, later)
    nodes = _nodes(version, graph, places, depth=generations)
    return LineagePage(
        depth=generations,
        nodes=list(nodes.values()),
        lines=[_path(places[source], places[target]) for source, target in steps],
        origins=_branches(graph.start, earlier, nodes, {graph.start}),
        results=_branches(graph.start, later, nodes, {graph.start}),
        hidden=len(columns) - len(shown),
        width=max(x for x, _ in places.values()) + NODE_WIDTH + MARGIN,
        height=max(y for _, y in places.values()) + NODE_HEIGHT + MARGIN,
    )


def _columns(graph: Lineage) -> dict[Key, int]:
    """Generations of versions have the even columns, the runs between them the odd ones; the start stands in 0."""
    columns: dict[Key, int] = {subject: 2 * generation for subject, generation in graph.versions.items()}
    return columns | {run: 2 * generation + 1 for run, generation in graph.runs.items()}


def _steps(graph: Lineage) -> Iterator[tuple[Key, Key]]:
    """From what was there first to what came of it."""
    for link in graph.links.values():
        yield (link.run, link.version) if link.kind == PRODUCES else (link.version, link.run)


def _places(columns: Mapping[Key, int], earlier: Neighbours, later: Neighbours) -> dict[Key, Place]:
    """Columns from left to right, in each the order that crosses few lines.

    From the start outwards, a node stands at the mean height of its neighbours that have theirs.
    """
    members: dict[int, list[Key]] = defaultdict(list)
    for key, column in columns.items():
        members[column].append(key)
    heights: dict[Key, float] = {}
    for column in sorted(members, key=abs):
        near = {
            key: [heights[other] for other in (*earlier.get(key, ()), *later.get(key, ())) if other in heights]
            for key in members[column]
        }
        members[column].sort(key=lambda key: (fmean(near[key]) if near[key] else 0.0, str(key)))
        middle = (len(members[column]) - 1) / 2
        heights |= {key: index - middle for index, key in enumerate(members[column])}
    left, top = min(columns.values()), min(heights.values())
    return {
        key: (
            MARGIN + (columns[key] - left) * (NODE_WIDTH + COLUMN_GAP),
            MARGIN + round((height - top) * (NODE_HEIGHT + ROW_GAP)),
        )
        for key, height in heights.items()
    }


def _path(source: Place, target: Place) -> str:
    """From the right side of ``source`` to the left side of ``target``, also where that stands further left."""
    (x1, y1), (x2, y2) = source, target
    x1, y1, y2 = x1 + NODE_WIDTH, y1 + NODE_HEIGHT // 2, y2 + NODE_HEIGHT // 2
    bend = COLUMN_GAP if x2 < x1 else COLUMN_GAP // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _nodes(
    version: ArtifactVersion, graph: Lineage, places: Mapping[Key, Place], *, depth: int
) -> dict[Key, LineageNode]:
    """By key, from left to right and from top to bottom."""
    ambiguous = ambiguous_names({key.name for key in places if isinstance(key, Subject)})
    links = run_links((graph.root, key) for key in places if isinstance(key, str))
    root = version.artifact.root.key
    return {
        key: _version_node(graph, key, place, root, depth, is_ambiguous=key.name in ambiguous)
        if isinstance(key, Subject)
        else _run_node(graph, key, place, links[graph.root, key])
        for key, place in sorted(places.items(), key=lambda item: item[1])
    }


def _version_node(
    graph: Lineage, subject: Subject, place: Place, root: str, depth: int, *, is_ambiguous: bool
) -> LineageNode:
    facts = graph.stored.get(subject)
    address = ""
    if facts is not None:
        query = query_of({"depth": "" if depth == DEFAULT_DEPTH else str(depth)})
        chosen = artifact_address(subject.type, root, is_ambiguous=is_ambiguous)
        address = reverse("artifact_lineage", args=[subject.name, subject.number])
        address += chosen + query.replace("?", "&") if chosen else query
    return LineageNode(
        title=f"{subject.name}:v{subject.number}",
        address=address,
        is_there=facts is not None,
        is_deleted=facts is not None and facts.deleted_at is not None,
        is_start=subject == graph.start,
        x=place[0],
        y=place[1],
        type=subject.type,
        size_bytes=graph.recorded_sizes.get(subject) if facts is None else facts.size_bytes,
    )


def _run_node(graph: Lineage, run_id: str, place: Place, link: RunLink) -> LineageNode:
    run = graph.known_runs.get(run_id)
    return LineageNode(
        title=link.title,
        address=reverse("run_charts", args=[run_id]) + link.address if link.is_there else "",
        is_there=run is not None,
        is_deleted=run is not None and run.deleted_at is not None,
        is_start=False,
        x=place[0],
        y=place[1],
        run=run_id,
        color_number=color_number(run_id, run.color if run else None),
        place=" / ".join(part for part in (run.project, run.name) if part) if run else "",
    )


def _branches(key: Key, beyond: Neighbours, nodes: Mapping[Key, LineageNode], seen: set[Key]) -> list[LineageBranch]:
    """What lies beyond a node, each node's own branches once: a graph is no tree, and may have cycles."""
    branches = []
    for other in beyond.get(key, ()):
        is_repeated = other in seen
        seen.add(other)
        further = [] if is_repeated else _branches(other, beyond, nodes, seen)
        branches.append(LineageBranch(nodes[other], is_repeated, further))
    return branches
