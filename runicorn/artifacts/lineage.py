"""Where a version comes from and what came of it, read from the run directories without an index."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runicorn.artifacts.documents import read_index, read_metadata
from runicorn.artifacts.names import ArtifactType, parse_type
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import ArtifactNotFound, InvalidName, UnreadableDocument, VersionNotFound
from runicorn.storage import layout
from runicorn.storage.artifact_records import ArtifactRecord, records_in
from runicorn.storage.discovery import RootTree
from runicorn.storage.documents import read_document
from runicorn.storage.layout import ARTIFACT_TYPES

PRODUCES, USES = "produces", "uses"
#: Type, name and number.
_Version = tuple[str, str, int]


@dataclass(frozen=True)
class LineageNode:
    """A version (``artifact``) or a run. node_id: ``name:vN``, or the run's id."""

    node_type: str
    node_id: str
    label: str
    metadata: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class LineageEdge:
    """``produces``: run → version; ``uses``: version → run. created_at: Unix seconds, if the run's record says."""

    source: str
    target: str
    edge_type: str
    created_at: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class LineageGraph:
    """A part of the graph, around the version called ``root_artifact``."""

    root_artifact: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Link:
    run: str
    version: _Version
    at: float | None


class LineageTracker:
    """The lineage of the artifacts below one storage root. Reads the records of all runs, once for each graph."""

    def __init__(self, storage_root: str | os.PathLike[str]) -> None:
        self.root = Path(storage_root).absolute()

    def build_lineage_graph(
        self, name: str, type: str | ArtifactType, version: int, max_depth: int = 3
    ) -> LineageGraph:
        """Ancestors and descendants of a version, at most ``max_depth`` generations of versions away.

        Raises ArtifactNotFound, VersionNotFound, InvalidName.
        """
        start = (parse_type(type), name, version)
        ArtifactPlace(self.root, start[0], name).version_folder(version)
        links: dict[str, list[_Link]] = {PRODUCES: [], USES: []}
        for kind, link in self._links():
            links[kind].append(link)
        made_from = _by_version(links[PRODUCES]), _by_run(links[USES])
        led_to = _by_version(links[USES]), _by_run(links[PRODUCES])
        versions: dict[_Version, None] = {start: None}
        found: dict[tuple[str, str, _Version], _Link] = {}
        for towards, onwards, kinds in ((*made_from, (PRODUCES, USES)), (*led_to, (USES, PRODUCES))):
            frontier, seen = {start}, {start}
            for _ in range(max_depth):
                first = [link for each in frontier for link in towards[each]]
                if kinds[0] == PRODUCES:
                    first += [link for each in frontier if not towards[each] for link in self._maker_of(each)]
                second = [link for run in {link.run for link in first} for link in onwards[run]]
                for kind, some in zip(kinds, (first, second), strict=True):
                    found.update({(kind, link.run, link.version): link for link in some})
                frontier = {link.version for link in second} - seen
                seen |= frontier
                versions.update(dict.fromkeys(sorted(frontier)))
        runs = dict.fromkeys(run for _, run, _ in found)
        nodes = [self._version_node(each) for each in versions] + [LineageNode("run", run, run) for run in runs]
        return LineageGraph(_id(start), nodes, [_edge(kind, link) for (kind, _, _), link in found.items()])

    def _links(self) -> Iterator[tuple[str, _Link]]:
        tree = RootTree(self.root)
        tree.refresh(now=time.time())
        for path in sorted(tree.runs):
            for kind, document, time_key in (
                (PRODUCES, layout.ARTIFACTS_CREATED, "created_at"),
                (USES, layout.ARTIFACTS_USED, "used_at"),
            ):
                for record in self._records(self.root / path, document, time_key):
                    if record.type in ARTIFACT_TYPES and record.version:
                        version = (record.type, record.name, record.version)
                        yield kind, _Link(path.rpartition("/")[2], version, record.at)

    @staticmethod
    def _records(run_dir: Path, document: str, time_key: str) -> tuple[ArtifactRecord, ...]:
        try:
            return records_in(read_document(run_dir, document) or {}, time_key=time_key)
        except UnreadableDocument:  # the doctor and the viewer tell of it; what can be read is the lineage
            return ()

    def _maker_of(self, version: _Version) -> Iterator[_Link]:
        """The run that a version names, where no run's record does."""
        type_, name, number = version
        try:
            place = ArtifactPlace(self.root, type_, name)
            metadata = read_metadata(place.version_folder(number), place, number, {})
        except (ArtifactNotFound, VersionNotFound, InvalidName, UnreadableDocument):
            return
        if metadata.created_by_run:
            yield _Link(metadata.created_by_run, version, metadata.created_at)

    def _version_node(self, version: _Version) -> LineageNode:
        type_, name, number = version
        details: dict[str, Any] = {"type": type_}
        try:
            place = ArtifactPlace(self.root, type_, name)
            metadata = read_metadata(place.version_folder(number), place, number, read_index(place).aliases)
            details |= {"size": metadata.size_bytes, "created_at": metadata.created_at}
        except (ArtifactNotFound, VersionNotFound, InvalidName, UnreadableDocument):
            details["missing"] = True
        return LineageNode("artifact", _id(version), _id(version), details)


def _by_version(links: list[_Link]) -> dict[_Version, list[_Link]]:
    found: dict[_Version, list[_Link]] = defaultdict(list)
    for link in links:
        found[link.version].append(link)
    return found


def _by_run(links: list[_Link]) -> dict[str, list[_Link]]:
    found: dict[str, list[_Link]] = defaultdict(list)
    for link in links:
        found[link.run].append(link)
    return found


def _id(version: _Version) -> str:
    return f"{version[1]}:v{version[2]}"


def _edge(kind: str, link: _Link) -> LineageEdge:
    ends = (link.run, _id(link.version))
    return LineageEdge(*(ends if kind == PRODUCES else ends[::-1]), edge_type=kind, created_at=link.at)
