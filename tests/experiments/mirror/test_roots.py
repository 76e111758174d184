"""Which folder is the local storage root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.mirror.roots import ensure_local_root, make_local, this_start
from experiments.models import StorageRoot
from runicorn.errors import UnusableRoot

pytestmark = pytest.mark.django_db(databases=["index"])


@pytest.fixture
def started_with(tmp_path: Path, settings: Any) -> Path:
    root = tmp_path / "first"
    root.mkdir()
    settings.RUNICORN_STORAGE_ROOT = root
    return root


def test_it_is_what_the_viewer_is_started_with(started_with: Path, tmp_path: Path, settings: Any):
    assert ensure_local_root().path == str(started_with)

    settings.RUNICORN_STORAGE_ROOT = tmp_path
    assert ensure_local_root().path == str(tmp_path)
    assert list(StorageRoot.objects.filter(enabled=True).values_list("path", flat=True)) == [str(tmp_path)]


def test_a_switch_holds_as_long_as_this_start(started_with: Path, tmp_path: Path, settings: Any):
    first = ensure_local_root()
    switched = make_local(tmp_path, switched_in=this_start())

    assert ensure_local_root() == switched
    assert StorageRoot.objects.get(pk=first.pk).enabled is False

    settings.RUNICORN_START_ID = "another"
    again = ensure_local_root()
    assert (again.pk, again.path, again.key, again.enabled) == (first.pk, str(started_with), "local", True)


def test_a_folder_that_is_gone_is_refused_whoever_chose_it(started_with: Path, tmp_path: Path):
    (gone := tmp_path / "gone").mkdir()
    make_local(gone, switched_in=this_start())
    gone.rmdir()
    with pytest.raises(UnusableRoot, match="not a folder"):
        ensure_local_root()

    started_with.rmdir()
    StorageRoot.objects.all().delete()
    with pytest.raises(UnusableRoot, match="not a folder"):
        ensure_local_root()
