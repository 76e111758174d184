"""How much the run directories take on disk, measured a little at a time beside the mirror's own work."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import F

from experiments.models import Run, StorageRoot
from runicorn.errors import OutsideRoot
from runicorn.storage.paths import resolve_inside

#: A run that trains changes all the time: it is measured again this much later.
AGAIN_S = 300.0
#: How often all rows are looked through for runs that changed; those never measured are found at once.
LOOK_EVERY_S = 60.0
#: Runs whose turn is read at once.
_BATCH = 200


@dataclass
class _Measuring:
    """A run directory of which a part is added up; ``sizes`` goes on with the rest."""

    key: int
    begun_at: float
    sizes: Iterator[int]
    total: int = 0


class SizeMeter:
    """Remembers where it stopped, also in the middle of a directory of a million files."""

    def __init__(self) -> None:
        self._half_done: dict[int, _Measuring] = {}
        self._looked_at: dict[int, float] = {}

    def measure(self, root: StorageRoot, *, now: float, budget_s: float) -> int:
        """Measure runs of the root that changed since they were, for about ``budget_s``. Returns how many were done."""
        ends = time.monotonic() + budget_s
        due = self._due(root, now=now)
        measuring = self._half_done.pop(root.pk, None)
        done: list[_Measuring] = []
        while measuring is not None or due:
            if measuring is None:
                key, path = due.pop(0)
                measuring = _Measuring(key, now, _file_sizes(root, path))
            for size in measuring.sizes:
                measuring.total += size
                if time.monotonic() > ends:
                    self._half_done[root.pk] = measuring
                    due.clear()
                    break
            else:
                done.append(measuring)
            measuring = None
        for one in sorted(done, key=lambda one: one.key):  # as every writer of runs orders them
            Run.objects.filter(pk=one.key).update(size_bytes=one.total, sized_at=one.begun_at)
        return len(done)

    def _due(self, root: StorageRoot, *, now: float) -> list[tuple[int, str]]:
        """Row and path of some runs that want measuring."""
        runs = Run.objects.filter(root=root)
        due = list(runs.filter(sized_at=None).order_by("-pk").values_list("pk", "path")[:_BATCH])
        if not due and now >= self._looked_at.get(root.pk, 0.0) + LOOK_EVERY_S:
            changed = runs.filter(updated_at__gt=F("sized_at"), sized_at__lt=now - AGAIN_S).order_by("sized_at")
            due = list(changed.values_list("pk", "path")[:_BATCH])
            if len(due) < _BATCH:
                self._looked_at[root.pk] = now
        return due


def note_free_space(root: StorageRoot) -> None:
    """Write down how full the disk of the root is; nothing if it does not say."""
    try:
        usage = shutil.disk_usage(root.path)
    except OSError:
        return
    StorageRoot.objects.filter(pk=root.pk).update(free_bytes=usage.free, disk_bytes=usage.total)


def _file_sizes(root: StorageRoot, path: str) -> Iterator[int]:
    """Bytes of each file below the run directory, 0 of a folder. Links count nothing and lead nowhere; what cannot be
    read counts nothing.
    """
    try:
        pending = [str(resolve_inside(Path(root.path), path))]
    except OutsideRoot:
        return
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                        yield 0
                    elif not entry.is_symlink():
                        yield _size(entry)
        except OSError:
            continue


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:  # removed meanwhile
        return 0
