"""What init leaves on disk, which names it takes, and how an existing run is taken up."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from argparse import Namespace
from pathlib import Path

import pytest

import runicorn as rn
from runicorn.errors import Conflict, InvalidInput, InvalidName, RunNotFound, UnreadableDocument, UnusableRoot
from tests.training_scripts import document, events, records

RUN_ID = "20250114_153045_a1b2c3"


def start(**options):
    return rn.init(**{"capture_env": False, "console": False, **options})


def test_a_new_run_has_its_documents_where_the_layout_says(root):
    run = start(project="nlp-测试", name="中文 实验", tags=["a", "b", "a"], notes="# why", group="sweep-1")

    assert run.run_dir == root / "nlp-测试" / "中文 实验" / "runs" / run.id
    assert re.fullmatch(r"\d{8}_\d{6}_[0-9a-f]{6}", run.id)
    meta = document(run.run_dir, "meta.json")
    assert meta.pop("created_at") == pytest.approx(time.time(), abs=60)
    assert meta == {
        "id": run.id,
        "project": "nlp-测试",
        "name": "中文 实验",
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "hostname": platform.node(),
        "pid": os.getpid(),
        "storage_dir": str(root),
        "tags": ["a", "b"],
        "notes": "# why",
        "group": "sweep-1",
        "attempt": 1,
    }
    status = document(run.run_dir, "status.json")
    assert status == {"status": "running", "started_at": status["started_at"]}
    assert sorted(path.name for path in run.run_dir.iterdir()) == [
        "heartbeat.json",
        "media",
        "meta.json",
        "status.json",
    ]
    assert [path.name for path in run.runs_dir.iterdir()] == [run.id]


def test_the_attributes_of_a_run_are_the_folders_above_it(root):
    run = start(project="vision", name="vit")

    assert (run.id, run.project, run.name) == (run.run_dir.name, "vision", "vit")
    assert run.storage_root == root
    assert run.project_dir == root / "vision"
    assert run.experiment_dir == root / "vision" / "vit"
    assert run.runs_dir == root / "vision" / "vit" / "runs"
    assert run.media_dir == run.run_dir / "media"
    assert run.id in repr(run)


def test_the_documents_are_utf8_indented_and_unescaped():
    text = (start(project="vision", notes="基线").run_dir / "meta.json").read_text("utf-8")

    assert '\n  "notes": "基线"' in text


def test_the_positional_order_is_project_storage_run_id_name(tmp_path):
    run = rn.init("vision", tmp_path / "other", RUN_ID, "vit", False, console=False)

    assert run.run_dir == tmp_path / "other" / "vision" / "vit" / "runs" / RUN_ID


@pytest.mark.parametrize("name", ["", "  ", "..", "a/b", "a\\b", ".hidden", " x", "x" * 101, "a\nb", "../../etc"])
def test_names_that_no_folder_may_have_are_refused_before_anything_is_written(root, name):
    with pytest.raises(InvalidName):
        start(project=name)
    with pytest.raises(InvalidName):
        start(name=name)

    assert not root.exists() or list(root.iterdir()) == []


@pytest.mark.parametrize("project", ["runs", "artifacts", "evaluations", "sweeps", "webui"])
def test_reserved_names_are_no_projects(project):
    with pytest.raises(InvalidName, match="reserved"):
        start(project=project)


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".x", "a\\b", "x" * 201])
def test_run_ids_that_no_folder_may_have_are_refused(run_id):
    with pytest.raises(InvalidName):
        start(run_id=run_id)


@pytest.mark.parametrize("options", [{"tags": 5}, {"tags": [1]}, {"tags": [""]}, {"notes": 5}, {"group": ["g"]}])
def test_additions_of_the_wrong_type_are_refused(options):
    with pytest.raises(InvalidInput, match=next(iter(options))):
        start(**options)


def test_a_root_that_cannot_be_written_is_named(root, tmp_path):
    (root / "vision").mkdir(parents=True)
    (root / "vision" / "vit").write_text("a file in the way")

    with pytest.raises(UnusableRoot, match=str(root)):
        start(project="vision", name="vit")


def test_ids_that_collide_are_drawn_again(root, monkeypatch):
    drawn = iter([RUN_ID, RUN_ID, "20250114_153045_ffffff"])
    monkeypatch.setattr("runicorn.storage.layout.new_run_id", lambda now: next(drawn))

    first, second = start(), start()

    assert (first.id, second.id) == (RUN_ID, "20250114_153045_ffffff")


def test_a_run_that_cannot_be_completed_leaves_nothing_behind(root, monkeypatch):
    def fails(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runicorn.run_directory.write_document", fails)

    with pytest.raises(UnusableRoot, match="No space"):
        start(project="vision", name="vit")

    assert list((root / "vision" / "vit" / "runs").iterdir()) == []


class TestConfig:
    def test_it_is_written_and_readable_like_a_dict(self):
        run = start(config={"lr": 0.1, "layers": [1, 2]})

        assert run.config["lr"] == 0.1
        assert dict(run.config) == {"lr": 0.1, "layers": [1, 2]}
        assert document(run.run_dir, "config.json") == {"lr": 0.1, "layers": [1, 2]}

    def test_updates_are_written_at_once(self):
        run = start()
        before = (run.run_dir / "config.json").exists()

        run.config.update({"lr": 0.1}, seed=1)
        run.config["epochs"] = 3
        del run.config["seed"]

        assert not before
        assert document(run.run_dir, "config.json") == {"lr": 0.1, "epochs": 3}

    def test_arguments_of_argparse_are_taken(self):
        assert dict(start(config=Namespace(lr=0.1)).config) == {"lr": 0.1}

    def test_a_value_json_cannot_hold_is_written_as_its_text_and_kept_as_it_is(self):
        run = start(config={"data": Path("/data"), "nan": float("nan")})

        assert run.config["data"] == Path("/data")
        assert document(run.run_dir, "config.json") == {"data": "/data", "nan": "NaN"}

    def test_something_that_is_no_mapping_is_refused(self):
        with pytest.raises(InvalidInput, match="config"):
            start(config=5)


class TestResume:
    def test_it_keeps_the_creation_and_what_others_added_and_counts_on(self):
        first = start(project="vision", run_id=RUN_ID, tags=["a"], config={"lr": 0.1})
        first.log(x=1, step=500)
        first.log(x=1, step=20)
        first.finish("failed")
        created_at = document(first.run_dir, "meta.json")["created_at"]
        add_key(first.run_dir / "meta.json", "added", "by hand")
        add_key(first.run_dir / "status.json", "host", "gpu1")

        second = start(project="vision", run_id=RUN_ID, notes="again", config={"seed": 2})
        second.log(x=1)

        meta = document(second.run_dir, "meta.json")
        assert second.run_dir == first.run_dir
        assert (meta["created_at"], meta["attempt"], meta["added"]) == (created_at, 2, "by hand")
        assert (meta["tags"], meta["notes"]) == (["a"], "again")
        assert dict(second.config) == document(second.run_dir, "config.json") == {"lr": 0.1, "seed": 2}
        status = document(second.run_dir, "status.json")
        assert (status["status"], status["host"], "ended_at" in status) == ("running", "gpu1", False)
        (attempt,) = events(second.run_dir, type="attempt")
        assert attempt["data"] == {"attempt": 2, "step": 500}
        assert records(second.run_dir)[-1]["global_step"] == 501

    def test_must_needs_the_run_to_exist(self):
        with pytest.raises(RunNotFound, match=RUN_ID):
            start(run_id=RUN_ID, resume="must")
        with pytest.raises(InvalidInput, match="run_id"):
            start(resume="must")

    def test_never_refuses_an_existing_run_and_changes_nothing(self):
        run = start(run_id=RUN_ID, resume="never")
        run.finish()
        before = (run.run_dir / "meta.json").read_bytes()

        with pytest.raises(Conflict, match=RUN_ID):
            start(run_id=RUN_ID, resume="never")

        assert (run.run_dir / "meta.json").read_bytes() == before

    def test_another_word_is_refused(self):
        with pytest.raises(InvalidInput, match="maybe"):
            start(resume="maybe")

    def test_an_id_alone_finds_the_run_wherever_it_lies(self):
        first = start(project="vision", name="vit", run_id=RUN_ID)
        first.finish()

        second = start(run_id=RUN_ID)

        assert (second.run_dir, second.project, second.name) == (first.run_dir, "vision", "vit")

    def test_an_id_in_two_places_needs_the_place(self):
        for name in ("a", "b"):
            start(project="vision", name=name, run_id=RUN_ID).finish()

        with pytest.raises(Conflict, match=r"vision.a.*vision.b|vision.b.*vision.a"):
            start(run_id=RUN_ID)

        assert start(project="vision", name="b", run_id=RUN_ID).name == "b"

    def test_a_run_in_the_recycle_bin_is_left_there(self):
        run = start(run_id=RUN_ID)
        run.finish()
        (run.run_dir / ".deleted").write_text("{}")

        with pytest.raises(Conflict, match="recycle bin"):
            start(run_id=RUN_ID)

    def test_broken_meta_is_an_error_and_stays_as_it_is(self):
        run = start(run_id=RUN_ID)
        run.finish()
        (run.run_dir / "meta.json").write_text("{broken")

        with pytest.raises(UnreadableDocument, match=r"meta\.json"):
            start(run_id=RUN_ID)

        assert (run.run_dir / "meta.json").read_text() == "{broken"

    def test_a_torn_status_of_an_older_version_does_not_stop_it(self):
        run = start(run_id=RUN_ID)
        run.finish()
        (run.run_dir / "status.json").write_text("")

        assert document(start(run_id=RUN_ID).run_dir, "status.json")["status"] == "running"

    def test_the_runs_folder_is_touched_so_that_the_mirror_looks(self):
        run = start(run_id=RUN_ID)
        os.utime(run.runs_dir, (1, 1))
        run.finish()
        after_finish = run.runs_dir.stat().st_mtime
        os.utime(run.runs_dir, (1, 1))
        again = start(run_id=RUN_ID)

        assert after_finish > 1
        assert again.runs_dir.stat().st_mtime > 1

    def test_the_best_value_of_earlier_attempts_counts(self):
        first = start(run_id=RUN_ID)
        first.set_primary_metric("acc")
        first.log(acc=0.9)
        first.log(acc=0.5)
        # no finish: the process may have been killed

        second = start(run_id=RUN_ID)
        second.log(acc=0.7)
        second.finish()

        summary = document(second.run_dir, "summary.json")
        assert (summary["best_metric_value"], summary["best_metric_step"]) == (0.9, 1)


def add_key(path, key, value):
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), key: value}), "utf-8")
