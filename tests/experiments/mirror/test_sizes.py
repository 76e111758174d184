"""How much run directories take on disk, measured a little at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.mirror.sizes import AGAIN_S, LOOK_EVERY_S, SizeMeter, note_free_space
from experiments.models import Run, StorageRoot
from tests.run_directories import write_run

pytestmark = pytest.mark.django_db(databases=["index"])


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def measure(*, now: float | None = None, meter: SizeMeter | None = None) -> int:
    root = StorageRoot.objects.get()
    return (meter or SizeMeter()).measure(root, now=time.time() if now is None else now, budget_s=10)


def test_all_files_count_and_links_do_not(root_dir: Path, tick: Callable[[], None], tmp_path: Path):
    run_dir = write_run(root_dir)
    (run_dir / "media" / "deep").mkdir(parents=True)
    (run_dir / "media" / "deep" / "frame.png").write_bytes(b"x" * 70_000)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large.bin").write_bytes(b"x" * 500_000)
    (run_dir / "link.bin").symlink_to(tmp_path / "elsewhere" / "large.bin")
    (run_dir / "linked").symlink_to(tmp_path / "elsewhere")
    (run_dir / "round").symlink_to(run_dir)
    tick()

    assert measure() == 1

    assert Run.objects.get().size_bytes == bytes_below(run_dir) > 70_000
    assert measure() == 0  # nothing changed


def test_a_large_directory_is_measured_over_several_turns(root_dir: Path, tick: Callable[[], None]):
    run_dirs = [write_run(root_dir, f"vision/vit/runs/run-{number}") for number in range(2)]
    for number in range(50):
        (run_dirs[0] / f"{number}.bin").write_bytes(b"x" * 1_000)
    tick()
    meter, root, turns = SizeMeter(), StorageRoot.objects.get(), 0

    while Run.objects.filter(size_bytes=None).exists():
        meter.measure(root, now=time.time(), budget_s=0)
        turns += 1
        assert turns < 1_000

    assert turns > 50
    for run_dir in run_dirs:
        assert Run.objects.get(run_id=run_dir.name).size_bytes == bytes_below(run_dir)


def test_what_changed_is_measured_again_later(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    tick()
    meter, now = SizeMeter(), time.time()
    assert measure(now=now, meter=meter) == 1

    with (run_dir / "events.jsonl").open("a") as file:
        file.write('{"ts": 1.0, "type": "metrics", "data": {"global_step": 9, "loss": 1.0}}\n')
    tick()
    Run.objects.update(updated_at=now + 1)

    assert measure(now=now + LOOK_EVERY_S + 1, meter=meter) == 0  # not again so soon
    assert measure(now=now + AGAIN_S + LOOK_EVERY_S + 2, meter=meter) == 1
    assert Run.objects.get().size_bytes == bytes_below(run_dir)


def test_a_run_directory_that_is_gone_or_leads_away_takes_nothing(
    root_dir: Path, tick: Callable[[], None], tmp_path: Path
):
    run_dir = write_run(root_dir)
    tick()
    run_dir.rename(tmp_path / "away")
    run_dir.symlink_to(tmp_path / "away")

    assert measure() == 1
    assert Run.objects.get().size_bytes == 0


def test_the_room_on_the_disk_is_noted_and_a_root_that_is_away_keeps_what_was_known(
    root_dir: Path, tick: Callable[[], None], tmp_path: Path
):
    write_run(root_dir)
    tick()
    root = StorageRoot.objects.get()
    note_free_space(root)
    root.refresh_from_db()
    assert root.free_bytes is not None
    assert root.disk_bytes is not None
    assert 0 < root.free_bytes <= root.disk_bytes

    root.path = str(tmp_path / "unmounted")
    note_free_space(root)
    assert StorageRoot.objects.get().free_bytes == root.free_bytes
