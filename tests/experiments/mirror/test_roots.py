"""Which folder is the local storage root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.mirror.roots import UserRootWatch, ensure_local_root, make_local, this_start
from experiments.models import Change, StorageRoot
from experiments.queries.changes import changes_after, newest_sequence
from runicorn import config
from runicorn.errors import UnusableRoot

pytestmark = pytest.mark.django_db(databases=["index"])

NOON = 1_767_225_600.0


@pytest.fixture
def started_with(tmp_path: Path, settings: Any) -> Path:
    root = tmp_path / "first"
    root.mkdir()
    settings.RUNICORN_STORAGE_ROOT = root
    return root


def test_it_is_what_the_viewer_is_started_with(started_with: Path, tmp_path: Path, settings: Any):
    assert ensure_local_root(now=NOON).path == str(started_with)

    settings.RUNICORN_STORAGE_ROOT = tmp_path
    assert ensure_local_root(now=NOON).path == str(tmp_path)
    assert list(StorageRoot.objects.filter(enabled=True).values_list("path", flat=True)) == [str(tmp_path)]


def test_a_switch_holds_as_long_as_this_start(started_with: Path, tmp_path: Path, settings: Any):
    first = ensure_local_root(now=NOON)
    switched = make_local(tmp_path, switched_in=this_start(), at=NOON)

    assert ensure_local_root(now=NOON) == switched
    assert StorageRoot.objects.get(pk=first.pk).enabled is False

    settings.RUNICORN_START_ID = "another"
    again = ensure_local_root(now=NOON)
    assert (again.pk, again.path, again.key, again.enabled) == (first.pk, str(started_with), "local", True)


def test_a_folder_that_is_gone_is_refused_whoever_chose_it(started_with: Path, tmp_path: Path):
    (gone := tmp_path / "gone").mkdir()
    make_local(gone, switched_in=this_start(), at=NOON)
    gone.rmdir()
    with pytest.raises(UnusableRoot, match="not a folder"):
        ensure_local_root(now=NOON)

    started_with.rmdir()
    StorageRoot.objects.all().delete()
    with pytest.raises(UnusableRoot, match="not a folder"):
        ensure_local_root(now=NOON)


def test_whoever_watches_loads_anew_after_a_switch(started_with: Path, tmp_path: Path):
    ensure_local_root(now=NOON)
    Change.objects.create(kind=Change.Kind.PROBLEMS, at=NOON)
    before = newest_sequence()

    make_local(tmp_path, switched_in=this_start(), at=NOON)

    assert changes_after(before) is None
    assert changes_after(newest_sequence()) == []


def test_what_the_user_stores_while_the_viewer_runs_is_followed_once(
    started_with: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (stored := tmp_path / "stored").mkdir()
    config.write_user_root(stored)
    watch = UserRootWatch()
    watch.follow(now=NOON)
    assert ensure_local_root(now=NOON).path == str(started_with), "what was stored before changes nothing"

    chosen = config.write_user_root(tmp_path / "chosen")
    watch.follow(now=NOON)
    assert ensure_local_root(now=NOON).path == str(chosen)

    make_local(tmp_path, switched_in=this_start(), at=NOON)  # over the API of another host
    watch.follow(now=NOON)
    assert ensure_local_root(now=NOON).path == str(tmp_path)

    config.user_config_file().write_text("{", encoding="utf-8")
    watch.follow(now=NOON)
    assert ensure_local_root(now=NOON).path == str(tmp_path)
