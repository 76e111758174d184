from __future__ import annotations

import errno
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from runicorn.errors import Conflict, InvalidInput, RunNotFound, StorageDamaged, UnreadableDocument
from runicorn.storage import curation
from runicorn.storage.curation import Edit
from runicorn.storage.file_lock import file_lock
from runicorn.storage.run_documents import read_older_curation, read_run_documents
from tests.run_directories import RUN_ID, write_json, write_run
from tests.training_scripts import start_script

PATH = f"vision/vit/runs/{RUN_ID}"
AT = 1_800_000_000.0


@pytest.fixture
def run_dir(root: Path) -> Path:
    return write_run(root, meta={"tags": ["baseline", "a"], "notes": "from the script"})


def change(run_dir: Path, edit: Edit, *, by: str | None = "ada", at: float = AT) -> bool:
    return curation.change(run_dir, edit, root=run_dir.parents[3], by=by, at=at)


def document(run_dir: Path) -> dict:
    return json.loads((run_dir / "curation.json").read_text("utf-8"))


def test_what_is_changed_is_read_back_and_nothing_else_of_the_run_changes(run_dir: Path, root: Path):
    before = {path.name: path.read_bytes() for path in run_dir.iterdir()}

    change(
        run_dir,
        Edit(add_tags=["好", "a"], description=" 最好的 ", display_name="ViT", notes="# x", pinned=True, color="sky"),
    )

    read = read_run_documents(root, PATH)
    assert read.tags == ("baseline", "a", "好")
    assert (read.description, read.display_name, read.notes) == ("最好的", "ViT", "# x")
    assert (read.pinned, read.archived, read.color) == (True, False, "sky")
    after = {path.name: path.read_bytes() for path in run_dir.iterdir()}
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"curation.json", "curation.lock"}


def test_the_file_says_who_changed_what_and_when(run_dir: Path):
    change(run_dir, Edit(add_tags=["b"], archived=True), by="ada", at=1.0)
    change(run_dir, Edit(remove_tags=["a"], description="x"), by=None, at=2.0)

    assert document(run_dir) == {
        "tags": ["baseline", "b"],
        "archived": True,
        "description": "x",
        "tag_changes": {"b": {"at": 1.0, "by": "ada", "removed": False}, "a": {"at": 2.0, "by": None, "removed": True}},
        "fields": {
            "tags": {"at": 2.0, "by": None},
            "archived": {"at": 1.0, "by": "ada"},
            "description": {"at": 2.0, "by": None},
        },
        "updated_at": 2.0,
        "updated_by": None,
    }


def test_replacing_tags_keeps_the_given_order_and_each_once(run_dir: Path):
    change(run_dir, Edit(set_tags=["z", " a ", "z", "m"]))

    assert document(run_dir)["tags"] == ["z", "a", "m"]
    assert document(run_dir)["tag_changes"]["baseline"]["removed"] is True


def test_empty_texts_clear_and_notes_of_the_script_stay_away(run_dir: Path, root: Path):
    change(run_dir, Edit(description="x", display_name="y"))
    change(run_dir, Edit(description="", display_name="", notes=""))

    read = read_run_documents(root, PATH)
    assert (read.description, read.display_name, read.notes) == (None, None, "")


def test_keys_that_others_wrote_are_kept(run_dir: Path):
    write_json(run_dir / "curation.json", {"rating": 5, "tags": ["x"], "fields": {"rating": {"at": 1, "by": "b"}}})

    change(run_dir, Edit(add_tags=["y"]))

    after = document(run_dir)
    assert (after["rating"], after["tags"]) == (5, ["x", "y"])
    assert after["fields"]["rating"] == {"at": 1, "by": "b"}


@pytest.mark.parametrize(
    "edit",
    [
        Edit(),
        Edit(add_tags=["a", "baseline"]),
        Edit(set_tags=["baseline", "a"]),
        Edit(remove_tags=["never there"]),
        Edit(description="", display_name=" ", archived=False, pinned=False, notes="from the script"),
    ],
)
def test_a_change_that_changes_nothing_writes_nothing(run_dir: Path, edit: Edit):
    os.utime(run_dir.parent, (1, 1))

    assert change(run_dir, edit) is False

    assert not (run_dir / "curation.json").exists()
    assert run_dir.parent.stat().st_mtime == 1


def test_a_change_touches_the_runs_folder_so_that_the_mirror_sees_it(run_dir: Path):
    os.utime(run_dir.parent, (1, 1))

    assert change(run_dir, Edit(pinned=True)) is True

    assert run_dir.parent.stat().st_mtime > 1


def test_what_0_4_kept_in_the_root_is_where_a_change_starts(run_dir: Path, root: Path):
    older = {"tags": ["old"], "description": "of 0.4", "pinned": True, "created_at": 1.0}
    write_json(root / ".experiments_metadata.json", {RUN_ID: older})
    before = (root / ".experiments_metadata.json").read_bytes()

    change(run_dir, Edit(add_tags=["new"]))

    read = read_run_documents(root, PATH, older_curation=read_older_curation(root)[RUN_ID])
    assert (read.tags, read.description, read.pinned) == (("old", "new"), "of 0.4", True)
    assert "created_at" not in document(run_dir)
    assert (root / ".experiments_metadata.json").read_bytes() == before


def test_tags_given_when_a_run_is_resumed_count_until_somebody_changes_them(run_dir: Path, root: Path):
    change(run_dir, Edit(pinned=True, color="sky"))
    write_json(run_dir / "meta.json", {"id": RUN_ID, "tags": ["resumed"]})

    assert read_run_documents(root, PATH).tags == ("resumed",)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(add_tags=[" "]), "empty"),
        (Edit(set_tags=["x" * 101]), "101 characters"),
        (Edit(add_tags=["a,b"]), "comma"),
        (Edit(add_tags=["a\nb"]), "control character"),
        (Edit(add_tags=[f"tag {number}" for number in range(99)]), "101 tags; at most 100"),
        (Edit(description="x" * 2001), "description has 2001"),
        (Edit(display_name="x" * 201), "display name has 201"),
        (Edit(notes="x" * 200_001), "notes has 200001"),
    ],
)
def test_what_is_too_long_or_no_tag_is_refused_with_a_reason(run_dir: Path, edit: Edit, message: str):
    with pytest.raises(InvalidInput, match=message):
        change(run_dir, edit)

    assert not (run_dir / "curation.json").exists()


def test_tags_that_a_script_gave_may_stay_whatever_they_are(run_dir: Path):
    write_json(run_dir / "meta.json", {"id": RUN_ID, "tags": ["a,b", "x" * 150]})

    change(run_dir, Edit(add_tags=["c"]))

    assert document(run_dir)["tags"] == ["a,b", "x" * 150, "c"]


@pytest.mark.parametrize("content", ["{broken", "[]", "\x00\x01", '{"tags": ["a"]'])
def test_a_broken_file_is_never_overwritten(run_dir: Path, content: str):
    (run_dir / "curation.json").write_text(content)

    with pytest.raises(UnreadableDocument, match=r"curation\.json.*Nothing was changed; mend that file or move it"):
        change(run_dir, Edit(add_tags=["x"]))

    assert (run_dir / "curation.json").read_text() == content


@pytest.mark.parametrize("name", ["meta.json", "../../../../.experiments_metadata.json"])
def test_values_of_a_broken_file_are_not_forgotten(run_dir: Path, name: str):
    (run_dir / name).write_text("{broken")

    with pytest.raises(UnreadableDocument, match="mend that file"):
        change(run_dir, Edit(add_tags=["x"]))

    assert not (run_dir / "curation.json").exists()


@pytest.mark.parametrize("name", ["curation.json", "curation.lock"])
def test_a_link_is_not_followed_out_of_the_run(run_dir: Path, tmp_path: Path, name: str):
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    (run_dir / name).symlink_to(outside)

    with pytest.raises(StorageDamaged):
        change(run_dir, Edit(add_tags=["x"]))

    assert outside.read_text() == "{}"
    assert (run_dir / name).is_symlink()


def test_a_link_to_nowhere_creates_nothing_there(run_dir: Path, tmp_path: Path):
    (run_dir / "curation.lock").symlink_to(tmp_path / "nowhere")

    with pytest.raises(StorageDamaged):
        change(run_dir, Edit(add_tags=["x"]))

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("broken", ["curation.lock", "curation.json"])
def test_a_directory_that_cannot_be_written_is_said(run_dir: Path, monkeypatch: pytest.MonkeyPatch, broken: str):
    """By the error that the system gives: root may write everywhere."""
    really_open = os.open

    def refuse(path, flags, *rest, **options):
        if broken in str(path) and flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return really_open(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(StorageDamaged, match=r"cannot be changed: Read-only file system.*Nothing was changed"):
        change(run_dir, Edit(add_tags=["x"]))


def test_a_run_that_is_gone_is_not_found(root: Path):
    with pytest.raises(RunNotFound, match="is gone"):
        change(root / PATH, Edit(pinned=True, color="sky"))


def test_a_lock_that_somebody_holds_is_a_conflict(run_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(curation, "LOCK_TIMEOUT_S", 0.05)

    with file_lock(run_dir / curation.LOCK, timeout_s=0), pytest.raises(Conflict, match="try again"):
        change(run_dir, Edit(pinned=True, color="sky"))

    assert change(run_dir, Edit(pinned=True, color="sky"))


def test_a_file_system_without_locks_takes_changes_all_the_same(run_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runicorn.storage.file_lock._try_lock", lambda descriptor: None)

    assert change(run_dir, Edit(pinned=True, color="sky"))


TAGGER = """
import sys, time
from pathlib import Path
from runicorn.storage import curation
run_dir, name, count = Path({run_dir!r}), {name!r}, {count}
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    edit = curation.Edit(add_tags=[f"{{name}}-{{number % 60}}"], remove_tags=[f"{{name}}-{{(number + 30) % 60}}"])
    curation.change(run_dir, edit, root=run_dir.parents[3], by=name, at=float(number))
"""


def test_twenty_processes_that_tag_one_run_at_once_lose_nothing(run_dir: Path, root: Path):
    taggers = [
        start_script(TAGGER.format(run_dir=str(run_dir), name=f"p{number}", count=4), root=root) for number in range(20)
    ]
    for tagger in taggers:
        assert tagger.stdout.readline() == "ready\n"
    for tagger in taggers:
        tagger.stdin.write("\n")
        tagger.stdin.flush()
    for tagger in taggers:
        _, errors = tagger.communicate(timeout=120)
        assert tagger.returncode == 0, errors

    expected = {f"p{number}-{count}" for number in range(20) for count in range(4)}
    assert set(document(run_dir)["tags"]) == expected | {"baseline", "a"}
    assert document(run_dir)["tag_changes"].keys() == expected


def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_file_and_no_lock(run_dir: Path, root: Path):
    chance = random.Random(5)
    for number in range(25):
        tagger = start_script(TAGGER.format(run_dir=str(run_dir), name="t", count=1_000_000), root=root)
        assert tagger.stdout.readline() == "ready\n"
        tagger.stdin.write("\n")
        tagger.stdin.flush()
        time.sleep(chance.random() * 0.05)
        tagger.send_signal(signal.SIGKILL)
        tagger.communicate()
        assert tagger.returncode == -signal.SIGKILL

        assert change(run_dir, Edit(description=f"after kill {number}"))

        assert {"baseline", "a"} <= set(document(run_dir).get("tags", ["baseline", "a"]))
        assert document(run_dir)["description"] == f"after kill {number}"
