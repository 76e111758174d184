"""Aliases, descriptions, tags, stages and evaluations of versions: what the files say afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.curation import (
    StageMove,
    VersionEdit,
    edit_version,
    move_stage,
    remove_alias,
    set_alias,
    text_mark,
)
from runicorn.artifacts.documents import read_index, resolve_version
from runicorn.artifacts.evaluations import Evaluation, read_evaluations, record_evaluation
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import AliasNotFound, Conflict, InvalidInput, InvalidName, UnreadableDocument, VersionNotFound

AT = 1_800_000_000.0


def document(place: ArtifactPlace, version: int, name: str = "metadata.json") -> dict:
    return json.loads((place.home / f"v{version}" / name).read_text())


def test_an_alias_moves_and_goes(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    log({"w": b"2"})

    assert set_alias(place, 1, "best", at=AT)
    assert not set_alias(place, 1, "best", at=AT)
    assert set_alias(place, 2, "best", at=AT)

    assert resolve_version(place, "best") == 2
    index = json.loads((place.home / "versions.json").read_text())
    assert index["aliases"] == {"best": 2, "latest": 2}
    assert [info["aliases"] for info in index["versions"]] == [[], ["best", "latest"]]
    assert remove_alias(place, "best", at=AT) == 2
    with pytest.raises(AliasNotFound):
        resolve_version(place, "best")
    with pytest.raises(AliasNotFound):
        remove_alias(place, "best", at=AT)


@pytest.mark.parametrize("alias", ["v3", "V3", "17", "latest", "", "a b", "a/b", "a:b", "a\nb", "x" * 101])
def test_some_aliases_cannot_be(place: ArtifactPlace, log: Callable[..., int], alias: str):
    log({"w": b"1"})

    with pytest.raises(InvalidName):
        set_alias(place, 1, alias, at=AT)


@pytest.mark.parametrize("alias", ["validated", "v3-rc", "生产", "2026.1"])
def test_other_aliases_can(place: ArtifactPlace, log: Callable[..., int], alias: str):
    log({"w": b"1"})

    set_alias(place, 1, alias, at=AT)

    assert ArtifactStorage(place.root).open_artifact("net", alias).version == 1


def test_an_alias_of_no_version_is_refused_and_leaves_nothing(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})

    with pytest.raises(VersionNotFound):
        set_alias(place, 2, "best", at=AT)
    assert read_index(place).aliases == {"latest": 1}


def test_an_alias_is_left_to_the_version_that_it_moved_to(place: ArtifactPlace, log: Callable[..., int]):
    for content in (b"1", b"2"):
        log({"w": content})
    set_alias(place, 2, "best", at=AT)

    with pytest.raises(Conflict, match="names v2 by now"):
        remove_alias(place, "best", at=AT, version=1)
    assert read_index(place).aliases == {"best": 2, "latest": 2}
    assert remove_alias(place, "best", at=AT, version=2) == 2


def test_a_description_that_the_person_has_not_seen_is_not_overwritten(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    edit_version(place, 1, VersionEdit(description="a\r\nb"), at=AT)

    unseen = VersionEdit(description="mine", description_seen=text_mark("another"), add_tags=["a"])
    with pytest.raises(Conflict, match=r"Somebody else has changed the description of net:v1; nothing was saved\."):
        edit_version(place, 1, unseen, at=AT)
    assert (document(place, 1)["description"], document(place, 1)["tags"]) == ("a\r\nb", [])
    edit_version(place, 1, VersionEdit(description="mine", description_seen=text_mark("a\nb ")), at=AT)
    assert document(place, 1)["description"] == "mine"


def test_description_and_tags_change_and_foreign_keys_stay(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    path = place.home / "v1" / "metadata.json"
    path.write_text(json.dumps(document(place, 1) | {"their_key": [1]}))

    edit_version(place, 1, VersionEdit(description=" good ", add_tags=["a", "b", "a"]), at=AT)
    edit_version(place, 1, VersionEdit(add_tags=["c"], remove_tags=["a"]), at=AT + 1)

    metadata = document(place, 1)
    assert (metadata["description"], metadata["tags"], metadata["their_key"]) == ("good", ["b", "c"], [1])
    assert metadata["updated_at"] == AT + 1


def test_a_broken_document_is_left_as_it_is(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    (place.home / "v1" / "metadata.json").write_text("{broken")

    with pytest.raises(UnreadableDocument, match="Nothing was changed"):
        edit_version(place, 1, VersionEdit(description="x"), at=AT)
    assert (place.home / "v1" / "metadata.json").read_text() == "{broken"


def test_changes_at_once_lose_nothing(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})

    def work(number: int) -> None:
        edit_version(place, 1, VersionEdit(add_tags=[f"tag-{number}"]), at=AT)
        set_alias(place, 1, f"alias-{number}", at=AT)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(document(place, 1)["tags"]) == {f"tag-{number}" for number in range(20)}
    assert set(read_index(place).aliases) == {f"alias-{number}" for number in range(20)} | {"latest"}


def test_production_has_its_alias_while_the_version_is_there(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})

    with pytest.raises(InvalidInput, match="Invalid transition from experimental to production"):
        move_stage(place, 1, StageMove("production"), at=AT)
    assert move_stage(place, 1, StageMove("staging"), at=AT) == "experimental"
    assert move_stage(place, 1, StageMove("production", notes="go"), at=AT) == "staging"
    assert resolve_version(place, "production") == 1
    assert move_stage(place, 1, StageMove("archived"), at=AT) == "production"

    assert "production" not in read_index(place).aliases
    metadata = document(place, 1)
    assert metadata["lifecycle_stage"] == "archived"
    assert [(move["from_stage"], move["to_stage"]) for move in metadata["stage_transitions"]] == [
        ("experimental", "staging"),
        ("staging", "production"),
        ("production", "archived"),
    ]
    with pytest.raises(InvalidInput, match="Must be one of experimental, staging"):
        move_stage(place, 1, StageMove("gone"), at=AT)
    # what the original made unreadable by such a call is still a version
    assert ArtifactStorage(place.root).open_artifact("net", 1).version == 1


def test_evaluations_are_kept_and_the_version_notes_the_last_ten(place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"1"})
    log({"w": b"1"}, name="net-2")
    metrics = {f"m{number}": float(number) for number in range(7)}

    ids = [record_evaluation(place, 1, Evaluation(metrics, "passed", AT)) for _ in range(12)]

    assert len(set(ids)) == 12
    records = read_evaluations(place.root, "net", "model")
    assert sorted(record.eval_id for record in records) == sorted(ids)
    assert records[0].document["metrics"] == metrics
    assert read_evaluations(place.root, "net-2", "model") == []
    noted = document(place, 1)["evaluations"]
    assert [note["eval_id"] for note in noted] == ids[2:]
    assert noted[0]["metrics_summary"] == {f"m{number}": float(number) for number in range(5)}
    with pytest.raises(VersionNotFound):
        record_evaluation(place, 2, Evaluation(metrics, "passed", AT))
    with pytest.raises(InvalidInput):
        record_evaluation(place, 1, Evaluation(metrics, "good", AT))


def test_an_unreadable_list_of_versions_is_kept_aside(place: ArtifactPlace, log: Callable[..., int], root: Path):
    log({"w": b"1"})
    (place.home / "versions.json").write_text('{"aliases": {"best": 1')

    assert log({"w": b"2"}) == 2

    assert read_index(place).aliases == {"latest": 2}
    assert (place.home / "versions.json.damaged").read_text() == '{"aliases": {"best": 1'
