from __future__ import annotations

import os
from pathlib import Path

import pytest

from runicorn.errors import StorageDamaged
from runicorn.storage import recycle


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "20250114_153045_a1b2c3"
    (folder / "media").mkdir(parents=True)
    (folder / "meta.json").write_text("{}")
    (folder / "media" / "a.png").write_bytes(b"png")
    return folder


def test_deleting_and_restoring_are_done_once(run_dir: Path):
    def delete() -> bool:
        return recycle.mark_deleted(run_dir, reason="user_deleted", original_status="failed", at=1.5)

    assert [delete(), delete()] == [True, False]
    assert recycle.original_status(run_dir) == "failed"
    assert [recycle.restore(run_dir), recycle.restore(run_dir)] == [True, False]


def test_a_change_touches_the_runs_folder_so_that_the_mirror_sees_it(run_dir: Path):
    os.utime(run_dir.parent, (1, 1))

    recycle.mark_deleted(run_dir, reason="user_deleted", original_status="failed", at=1.5)
    after_delete = run_dir.parent.stat().st_mtime
    os.utime(run_dir.parent, (1, 1))
    recycle.restore(run_dir)

    assert after_delete > 1
    assert run_dir.parent.stat().st_mtime > 1


def test_an_interrupted_removal_leaves_a_deleted_run(run_dir: Path, monkeypatch: pytest.MonkeyPatch):
    recycle.mark_deleted(run_dir, reason="user_deleted", original_status="failed", at=1.5)
    unlink = Path.unlink

    def fail_on_meta(path: Path, missing_ok: bool = False) -> None:
        if path.name == "meta.json":
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", fail_on_meta)
    with pytest.raises(StorageDamaged, match=r"meta\.json.*Permission denied"):
        recycle.purge(run_dir)
    monkeypatch.undo()

    assert (run_dir / ".deleted").is_file()
    recycle.purge(run_dir)
    assert not run_dir.exists()


def test_a_run_outside_the_recycle_bin_or_behind_a_link_is_not_purged(run_dir: Path, tmp_path: Path):
    with pytest.raises(StorageDamaged):
        recycle.purge(run_dir)
    recycle.mark_deleted(run_dir, reason="user_deleted", original_status="failed", at=1.5)
    link = tmp_path / "link"
    link.symlink_to(run_dir)
    with pytest.raises(StorageDamaged):
        recycle.purge(link)

    assert (run_dir / "media" / "a.png").is_file()


def test_a_file_that_is_written_during_the_removal_does_not_bring_the_run_back(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    recycle.mark_deleted(run_dir, reason="user_deleted", original_status="failed", at=1.5)
    rename = Path.rename

    def write_and_rename(path: Path, target: Path) -> Path:
        (path / "heartbeat.json").write_text("{}")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", write_and_rename)
    recycle.purge(run_dir)

    assert list(run_dir.parent.iterdir()) == []
