"""What people change reaches the file first and the row right after, whatever the mirror does meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.mirror import refresh
from experiments.mirror.liveness import check_running_runs
from experiments.mirror.runs import RunsMirror
from experiments.models import Change, Run, RunTag, StorageRoot
from experiments.queries.recycle_bin import bytes_of
from experiments.queries.runs import RunIdentity
from experiments.services.curation import edit_run, edit_runs
from experiments.services.recycle_bin import (
    bring_back,
    move_to_recycle_bin,
    purge_runs,
    remove_runs,
)
from runicorn.errors import InvalidInput, RunNotFound
from runicorn.storage import curation
from runicorn.storage.curation import Edit
from tests.run_directories import RUN_ID, write_json, write_run

pytestmark = pytest.mark.django_db(databases=["index"])

PATH = f"vision/vit/runs/{RUN_ID}"
OTHER_ID = "20250114_153045_a1b2c4"
OTHER_PATH = f"vision/vit/runs/{OTHER_ID}"
AT = 1_800_000_000.0
Tick = Callable[[], None]


@pytest.fixture
def run_dir(root_dir: Path, tick: Tick) -> Path:
    run_dir = write_run(root_dir, meta={"tags": ["first"]})
    write_run(root_dir, OTHER_PATH)
    tick()
    return run_dir


def the_run(path: str = PATH) -> Run:
    return Run.objects.select_related("root", "detail").get(path=path)


def test_an_edit_is_in_the_file_and_in_every_column_at_once(run_dir: Path):
    edit = Edit(add_tags=["Best"], description="A Description", display_name="ViT", notes="# n", pinned=True)

    run = edit_run(the_run(), edit, by="ada", at=AT)

    assert json.loads((run_dir / "curation.json").read_text())["updated_by"] == "ada"
    assert (run.description, run.display_name, run.pinned, run.archived) == ("A Description", "ViT", True, False)
    assert (json.loads(run.tags), the_run().detail.notes) == (["first", "Best"], "# n")
    assert sorted(RunTag.objects.filter(run=run).values_list("tag", flat=True)) == ["Best", "first"]
    assert "a description" in run.search_text
    assert Change.objects.filter(run_key=run.pk, kind=Change.Kind.RUN).count() == 2


def test_of_several_runs_each_says_how_it_went(run_dir: Path, root_dir: Path):
    (root_dir / OTHER_PATH / "curation.json").write_text("{broken")

    outcomes = edit_runs([the_run(), the_run(OTHER_PATH)], Edit(add_tags=["x"]), by=None, at=AT)

    assert outcomes[RunIdentity("local", PATH)] is None
    assert "Nothing was changed" in str(outcomes[RunIdentity("local", OTHER_PATH)])
    assert json.loads(the_run().tags) == ["first", "x"]


def test_a_run_that_is_gone_is_not_found_and_its_row_goes(run_dir: Path):
    run = the_run()
    shutil.rmtree(run_dir)

    with pytest.raises(RunNotFound):
        edit_run(run, Edit(pinned=True), by=None, at=AT)


def test_a_row_never_stays_behind_a_change_made_while_it_was_written(
    run_dir: Path, root: StorageRoot, monkeypatch: pytest.MonkeyPatch
):
    """Another process changes the file after we read it, writes the row before us, and the mirror takes note of it."""
    read, others = refresh.read_run_documents, iter(["second", "third"])

    def read_and_be_overtaken(*arguments: Path, **options: object):
        documents = read(*arguments, **options)
        if (tag := next(others, None)) is not None:
            curation.change(run_dir, Edit(add_tags=[tag]), root=Path(root.path), by=None, at=AT)
        return documents

    monkeypatch.setattr(refresh, "read_run_documents", read_and_be_overtaken)

    edit_run(the_run(), Edit(pinned=True), by=None, at=AT)

    assert json.loads(the_run().tags) == ["first", "second", "third"]


def test_a_run_that_is_purged_after_the_mirror_looked_does_not_come_back(
    run_dir: Path, root: StorageRoot, mirror: RunsMirror, tick: Tick
):
    write_json(run_dir / "summary.json", {"acc": 1})
    run_dir.parent.touch()
    scan = mirror.scan(root, now=AT)
    updates = next(iter(scan))
    assert [update.path for update in updates] == [PATH]
    move_to_recycle_bin([the_run()], reason="r", at=AT)
    purge_runs([the_run()], at=AT)

    mirror.apply(root, updates, now=AT)

    assert not Run.objects.filter(path=PATH).exists()
    tick()
    assert [run.path for run in Run.objects.all()] == [OTHER_PATH]


@pytest.mark.parametrize("edit", [Edit(add_tags=["x"]), None], ids=["tagged", "deleted and restored"])
def test_what_people_do_is_no_sign_of_life(root_dir: Path, root: StorageRoot, tick: Tick, edit: Edit | None):
    hour_ago = time.time() - 3600
    run_dir = write_run(root_dir, status={"status": "running"})
    for file in run_dir.iterdir():
        os.utime(file, (hour_ago, hour_ago))
    tick()
    check_running_runs(root, now=time.time())
    assert (the_run().silent, the_run().last_sign_at) == (True, pytest.approx(hour_ago))

    if edit:
        edit_run(the_run(), edit, by=None, at=time.time())
    else:
        move_to_recycle_bin([the_run()], reason="r", at=time.time())
        bring_back([the_run()], at=time.time())

    assert the_run().silent is True
    tick()
    assert the_run().silent is True
    check_running_runs(root, now=time.time())
    assert (the_run().silent, the_run().last_sign_at) == (True, pytest.approx(hour_ago))


def test_removing_for_ever_spares_pinned_runs_unless_forced(run_dir: Path, root_dir: Path):
    write_json(run_dir / "curation.json", {"pinned": True})  # by somebody else, the row does not know it yet

    outcomes = remove_runs([RUN_ID, OTHER_ID], force=False, at=AT)

    assert outcomes == {RUN_ID: "run is pinned", OTHER_ID: None}
    assert (run_dir.is_dir(), (root_dir / OTHER_PATH).exists()) == (True, False)
    assert [run.path for run in Run.objects.all()] == [PATH]
    assert not (run_dir / ".deleted").exists()
    assert remove_runs([RUN_ID], force=True, at=AT) == {RUN_ID: None}
    assert not run_dir.exists()
    assert not Run.objects.exists()


def test_a_run_whose_curation_cannot_be_read_counts_as_pinned(run_dir: Path):
    (run_dir / "curation.json").write_text("{broken")

    assert remove_runs([RUN_ID], force=False, at=AT) == {RUN_ID: "run is pinned"}
    assert remove_runs([RUN_ID], force=True, at=AT) == {RUN_ID: None}


def test_removing_checks_the_ids_before_it_removes_anything(run_dir: Path):
    with pytest.raises(InvalidInput, match=r"Invalid run_id format: \.\./x"):
        remove_runs([RUN_ID, "../x"], force=True, at=AT)

    assert run_dir.is_dir()
    assert remove_runs(["20250114_153045_ffffff"], force=True, at=AT) == {"20250114_153045_ffffff": "run not found"}


def test_the_bytes_of_runs_count_shared_files_once_and_follow_no_link(run_dir: Path, root_dir: Path, tmp_path: Path):
    (tmp_path / "huge").write_bytes(b"x" * 1_000_000)
    before = bytes_of([the_run(), the_run(OTHER_PATH)])
    (run_dir / "checkpoint").write_bytes(b"x" * 100_000)
    os.link(run_dir / "checkpoint", root_dir / OTHER_PATH / "checkpoint")
    (run_dir / "link").symlink_to(tmp_path / "huge")

    grown = bytes_of([the_run(), the_run(OTHER_PATH)]) - before

    assert 100_000 <= grown < 120_000
