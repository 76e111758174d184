"""ArtifactStorage and LineageTracker, as Python programs use them."""

from __future__ import annotations

from pathlib import Path

import pytest

import runicorn as rn
from runicorn.artifacts import ArtifactStorage, LineageTracker
from runicorn.errors import AliasNotFound, ArtifactNotFound, InvalidName, VersionNotFound


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset, a model made from it, and an export made from that, each logged by a run of its own."""
    root = tmp_path / "root"
    (tmp_path / "file.bin").write_bytes(b"12345")
    for made, type_, used in (("data", "dataset", None), ("net", "model", "data"), ("onnx", "custom", "net")):
        with rn.init(project="p", name=made, storage=str(root), console=False, capture_env=False) as run:
            if used is not None:
                run.use_artifact(f"{used}:latest")
            run.log_artifact(rn.Artifact(made, type_).add_file(tmp_path / "file.bin"))
    return root


def test_versions_are_deleted_restored_and_removed_for_good(root: Path):
    storage = ArtifactStorage(root)

    assert storage.delete_artifact_version("net", "model", 1) is True
    assert storage.delete_artifact_version("net", "model", 1) is False
    assert [item["name"] for item in storage.list_artifacts("model")] == []
    assert storage.restore_version("net", "model", 1) is True
    assert storage.restore_version("net", "model", 1) is False
    assert [item["name"] for item in storage.list_artifacts("model")] == ["net"]
    assert storage.delete_artifact_version("net", "model", 1, soft_delete=False) is True
    with pytest.raises(ArtifactNotFound):
        storage.list_versions("net", "model")


def test_aliases_are_set_and_removed(root: Path):
    storage = ArtifactStorage(root)

    assert storage.set_alias("net", None, 1, "best") is True
    assert storage.set_alias("net", None, 1, "best") is False
    assert storage.open_artifact("net", "best").version == 1
    assert storage.remove_alias("net", None, "best") == 1
    with pytest.raises(AliasNotFound):
        storage.remove_alias("net", None, "best")
    with pytest.raises(InvalidName):
        storage.set_alias("net", None, 1, "v7")


def test_stats_and_cleaning_up(root: Path):
    storage = ArtifactStorage(root)

    stats = storage.get_storage_stats()

    assert (stats["total_artifacts"], stats["total_versions"], stats["total_size_bytes"]) == (3, 3, 15)
    assert storage.cleanup_orphaned_dedup() == 0


def test_lineage_goes_in_both_directions(root: Path):
    graph = LineageTracker(root).build_lineage_graph("net", "model", 1)

    versions = {node.node_id: node.metadata["type"] for node in graph.nodes if node.node_type == "artifact"}
    assert graph.root_artifact == graph.nodes[0].node_id == "net:v1"
    assert versions == {"net:v1": "model", "data:v1": "dataset", "onnx:v1": "custom"}
    assert sum(node.node_type == "run" for node in graph.nodes) == 3
    assert sorted(
        (edge.edge_type, edge.target if edge.edge_type == "produces" else edge.source) for edge in graph.edges
    ) == [
        ("produces", "data:v1"),
        ("produces", "net:v1"),
        ("produces", "onnx:v1"),
        ("uses", "data:v1"),
        ("uses", "net:v1"),
    ]
    assert graph.to_dict()["nodes"][0]["metadata"]["size"] == 5


def test_depth_ends_the_walk_and_missing_versions_are_told(root: Path):
    tracker = LineageTracker(root)
    assert [node.node_id for node in tracker.build_lineage_graph("data", "dataset", 1, max_depth=0).nodes] == [
        "data:v1"
    ]
    near = tracker.build_lineage_graph("data", "dataset", 1, max_depth=1)
    assert {node.node_id for node in near.nodes if node.node_type == "artifact"} == {"data:v1", "net:v1"}

    ArtifactStorage(root).delete_artifact_version("data", "dataset", 1, soft_delete=False)
    graph = tracker.build_lineage_graph("net", "model", 1)
    (missing,) = [node for node in graph.nodes if node.metadata.get("missing")]
    assert missing.node_id == "data:v1"
    with pytest.raises((ArtifactNotFound, VersionNotFound)):
        tracker.build_lineage_graph("data", "dataset", 1)
