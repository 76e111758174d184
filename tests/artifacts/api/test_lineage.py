"""GET /api/artifacts/{name}/v{version}/lineage."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

import httpx
import pytest

from artifacts.queries.lineage import MAX_DEPTH
from runicorn.artifacts.lineage import LineageTracker
from runicorn.artifacts.removal import delete_version, purge_version
from tests.artifacts.stored import log_version, new_run_id, place_of, write_lineage
from tests.run_directories import write_run
from tests.server import ViewerServer

_counter = itertools.count(1)


class Story:
    """Runs that create and use versions of artifacts with names of their own."""

    def __init__(self, server: ViewerServer, api: httpx.Client) -> None:
        self._server, self._api = server, api
        self._prefix = f"s{next(_counter)}-"
        self.runs: list[str] = []

    def run(self, *, made: Collection[str] = (), used: Collection[str] = (), stored: bool = True) -> str:
        """A run that used and made versions, given as ``name:number``; returns its id."""
        run_id = new_run_id()
        made, used = ([self._prefix + text for text in texts] for texts in (made, used))
        write_lineage(self._server.storage, run_id, made=made, used=used, stored=stored)
        self._server.scan()
        return run_id

    def name(self, text: str) -> str:
        return self._prefix + text.partition(":")[0]

    def ask(self, text: str, **query: Any) -> httpx.Response:
        return self._api.get(f"/api/artifacts/{self.name(text)}/v{text.partition(':')[2]}/lineage", params=query)

    def graph(self, text: str, **query: Any) -> tuple[set[str], set[tuple[str, str, str]]]:
        """The nodes' ids and the edges, without the prefix of this story."""
        answer = self.ask(text, **query).json()
        assert answer["root_artifact"] == f"{self.name(text)}:v{text.partition(':')[2]}"
        nodes = [node["node_id"].removeprefix(self._prefix) for node in answer["nodes"]]
        edges = [
            (edge["source"].removeprefix(self._prefix), edge["edge_type"], edge["target"].removeprefix(self._prefix))
            for edge in answer["edges"]
        ]
        assert (len(set(nodes)), len(set(edges))) == (len(nodes), len(edges))
        assert self._by_the_library(text, **query) == (
            {node["node_id"] for node in answer["nodes"]},
            {(edge["source"], edge["edge_type"], edge["target"]) for edge in answer["edges"]},
        )
        return set(nodes), set(edges)

    def _by_the_library(
        self, text: str, type: str = "model", max_depth: int = 3
    ) -> tuple[set[str], set[tuple[str, str, str]]]:
        """As ``graph``: what the library, which has no bound, reads from the files without an index."""
        tracker = LineageTracker(self._server.storage)
        graph = tracker.build_lineage_graph(
            self.name(text), type, int(text.partition(":")[2]), min(max_depth, MAX_DEPTH)
        )
        edges = {(edge.source, edge.edge_type, edge.target) for edge in graph.edges}
        return {node.node_id for node in graph.nodes}, edges


@pytest.fixture
def story(server: ViewerServer, api: httpx.Client) -> Story:
    return Story(server, api)


def test_both_directions_are_told_and_siblings_are_not(story: Story):
    prepare = story.run(made=["data:1", "sibling:1"])
    train = story.run(used=["data:1"], made=["net:1"])
    other = story.run(used=["data:1"], made=["cousin:1"])
    export = story.run(used=["net:1"], made=["onnx:1"])

    nodes, edges = story.graph("net:1")

    assert nodes == {"data:v1", "net:v1", "onnx:v1", prepare, train, export}
    assert edges == {
        (prepare, "produces", "data:v1"),
        ("data:v1", "uses", train),
        (train, "produces", "net:v1"),
        ("net:v1", "uses", export),
        (export, "produces", "onnx:v1"),
    }
    everything_after, _ = story.graph("data:1")
    assert everything_after == {"data:v1", "net:v1", "cousin:v1", "onnx:v1", prepare, train, other, export}


def test_nodes_say_what_they_are(story: Story, server: ViewerServer):
    train = story.run(used=["data:1"], made=["net:1"])

    answer = story.ask("net:1").json()

    nodes = {node["node_id"]: node for node in answer["nodes"]}
    assert answer["nodes"][0]["node_id"] == answer["root_artifact"]
    net = nodes[answer["root_artifact"]]
    assert (net["node_type"], net["label"]) == ("artifact", answer["root_artifact"])
    assert net["metadata"] == {"type": "model", "size": 5, "created_at": pytest.approx(1_736_868_700.0)}
    assert nodes[train] == {
        "node_type": "run",
        "node_id": train,
        "label": "vit",
        "metadata": {"run_id": train, "project": "vision", "name": "vit"},
    }
    (missing,) = [node for node in answer["nodes"] if node["metadata"].get("missing")]
    assert missing["metadata"] == {"type": "model", "size": 7, "missing": True}
    assert {edge["edge_type"]: edge["created_at"] for edge in answer["edges"]} == {"produces": 5.0, "uses": 6.0}


@pytest.mark.parametrize(("depth", "back", "forth"), [(0, 0, 0), (1, 1, 1), (2, 2, 2), (99, 10, 10)])
def test_depth_counts_generations_of_versions_and_ends_at_ten(story: Story, depth: int, back: int, forth: int):
    for number in range(1, 25):
        story.run(used=[f"net:{number - 1}"] if number > 1 else [], made=[f"net:{number}"])

    nodes, _ = story.graph("net:12", max_depth=depth)

    numbers = sorted(int(node.partition(":v")[2]) for node in nodes if ":v" in node)
    assert numbers == list(range(12 - back, 12 + forth + 1))


def test_three_generations_are_given_unless_asked_otherwise(story: Story):
    for number in range(1, 8):
        story.run(used=[f"net:{number - 1}"] if number > 1 else [], made=[f"net:{number}"])

    nodes, _ = story.graph("net:7")

    assert {node for node in nodes if ":v" in node} == {"net:v7", "net:v6", "net:v5", "net:v4"}


def test_cycles_end(story: Story):
    one = story.run(used=["b:1", "a:1"], made=["a:1"])
    two = story.run(used=["a:1"], made=["b:1"])

    nodes, edges = story.graph("a:1", max_depth=10)

    assert nodes == {"a:v1", "b:v1", one, two}
    assert len(edges) == 5


def test_the_version_names_its_maker_where_no_run_does(story: Story, server: ViewerServer):
    log_version(server.storage, {"w": b"1"}, name=story.name("orphan"), run_id="20200101_000000_abcdef")
    server.scan()

    answer = story.ask("orphan:1").json()

    run = answer["nodes"][1]
    assert run["node_id"] == "20200101_000000_abcdef"
    assert run["metadata"] == {"run_id": run["node_id"], "project": None, "name": None, "missing": True}


def test_deleted_versions_stay_in_the_graph_and_removed_ones_are_missing(story: Story, server: ViewerServer):
    story.run(made=["data:1"])
    story.run(used=["data:1"], made=["net:1"])
    place = place_of(server.storage, story.name("data:1"))
    delete_version(place, 1, by="user", at=9.0)
    server.scan()
    assert _marks(story.ask("net:1"), place.name) == {"deleted"}

    purge_version(place, 1, at=9.0)
    server.scan()
    assert _marks(story.ask("net:1"), place.name) == {"missing"}


def _marks(answer: httpx.Response, name: str) -> set[str]:
    (node,) = [node for node in answer.json()["nodes"] if node["node_id"].startswith(f"{name}:")]
    return {"deleted", "missing"} & set(node["metadata"])


def test_versions_of_two_types_with_one_name_are_two_nodes(story: Story, server: ViewerServer):
    run_id = new_run_id()
    name = story.name("twin")
    log_version(server.storage, {"w": b"1"}, name=name, run_id=run_id)
    used = {"name": name, "type": "dataset", "version": 1, "used_at": 6.0}
    write_run(server.storage, f"vision/vit/runs/{run_id}", artifacts_used={"artifacts": [used]})
    server.scan()

    ids = {node["node_id"] for node in story.ask("twin:1").json()["nodes"]}

    assert ids == {f"{name}:v1", f"dataset/{name}:v1", run_id}


def test_an_unknown_version_is_not_found(story: Story, api: httpx.Client):
    story.run(made=["net:1"])

    assert story.ask("net:2").json()["detail"] == f"Version not found: {story.name('net')}:v2"
    assert api.get("/api/artifacts/nope/v1/lineage").json()["detail"] == "Artifact not found: nope"
    assert story.ask("net:1", max_depth="deep").status_code == 400
