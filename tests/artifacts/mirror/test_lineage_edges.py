"""Edges of lineage follow what runs recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artifacts.models import LineageEdge
from experiments.models import Problem, StorageRoot
from runicorn.storage.documents import touch_runs_folder
from tests.artifacts.mirror.conftest import all_rows, follow, new_mirrors
from tests.run_directories import write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Tick = Callable[[], None]


def edges() -> list[tuple[Any, ...]]:
    return list(LineageEdge.objects.order_by("kind", "position").values_list("kind", "subject", "at", "size_bytes"))


def test_what_a_run_created_and_used_becomes_edges(root_dir: Path, tick: Tick):
    made = {"name": "net", "type": "model", "version": 2, "created_at": 5.0, "size_bytes": 9}
    used = {"name": "data", "type": "ArtifactType.DATASET", "version": 1, "used_at": 4.0, "size_bytes": 8}
    run_dir = write_run(root_dir, artifacts_created={"artifacts": [made]})
    tick()
    assert edges() == [("produces", "model/net:v2", 5.0, 9)]

    write_json(run_dir / "artifacts_used.json", {"artifacts": [used]})
    touch_runs_folder(run_dir)
    tick()
    assert edges() == [("produces", "model/net:v2", 5.0, 9), ("uses", "dataset/data:v1", 4.0, 8)]

    shutil.rmtree(run_dir)
    tick()
    assert edges() == []


def test_a_new_index_has_the_same_edges(root_dir: Path, tick: Tick):
    for number in range(5):
        made = {"name": "net", "type": "model", "version": number + 1, "created_at": 5.0}
        used = {"name": "net", "type": "model", "version": number, "used_at": 4.0}
        path = f"vision/vit/runs/20250114_153045_{number:06x}"
        write_run(root_dir, path, artifacts_created={"artifacts": [made]}, artifacts_used={"artifacts": [used]})
        tick()
    before = all_rows()["edges"]
    assert len(before) == 10

    StorageRoot.objects.all().delete()
    follow(new_mirrors(), StorageRoot.objects.create(key=StorageRoot.LOCAL, path=str(root_dir)))

    assert all_rows()["edges"] == before


#: Entries of a record, and the subject that their edge has; None: no edge.
ENTRIES = {
    "no name": ({"type": "model", "version": 1}, None),
    "no object": (17, None),
    "an unknown type": ({"name": "net", "type": "hologram", "version": 1}, ""),
    "a path as name": ({"name": "../../etc", "type": "model", "version": 1}, ""),
    "version 0": ({"name": "net", "type": "model", "version": 0}, ""),
    "a huge version": ({"name": "net", "type": "model", "version": 10**30}, ""),
    "a large version": ({"name": "net", "type": "model", "version": 10**15}, ""),
    "NUL": ({"name": "a\0b", "type": "mo\0del", "version": 1}, ""),
    "long": ({"name": "n" * 9000, "type": "t" * 9000, "version": 1}, ""),
    "Chinese": ({"name": "权重", "type": "model", "version": 1}, "model/权重:v1"),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_record_may_name_anything(name: str, root_dir: Path, tick: Tick):
    entry, subject = ENTRIES[name]
    write_run(root_dir, artifacts_created={"artifacts": [entry, {"name": "after", "type": "model", "version": 1}]})

    tick()

    subjects = [found for _, found, _, _ in edges()]
    assert subjects == [*([subject] if subject is not None else []), "model/after:v1"]


def test_a_broken_record_is_a_problem_and_has_no_edges(root_dir: Path, tick: Tick):
    run_dir = write_run(root_dir)
    (run_dir / "artifacts_used.json").write_text(json.dumps([1]))

    tick()

    assert edges() == []
    assert Problem.objects.get().path.endswith("artifacts_used.json")
