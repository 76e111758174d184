"""How much room the runs take, project by project, and how much is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from experiments.models import Run, StorageRoot

SHOWN_PROJECTS = 8
#: A disk with less room left is nearly full: a share of it, and never less than so many bytes.
LITTLE_SHARE, LITTLE_BYTES = 0.05, 2 * 1024**3


@dataclass(frozen=True)
class ProjectStorage:
    """size: bytes. share: of the largest project's size, in percent. name: "" of runs that name no project."""

    name: str
    size: int
    share: float


@dataclass(frozen=True)
class Disk:
    """The disk below a storage root. free, size: bytes."""

    path: str
    free: int
    size: int

    @property
    def is_nearly_full(self) -> bool:
        return self.free < max(LITTLE_SHARE * self.size, LITTLE_BYTES)


@dataclass(frozen=True)
class Storage:
    """projects: the largest, without the recycle bin. size, deleted_size: bytes of all runs outside of it and in it.

    unmeasured: how many runs nobody has measured yet.
    """

    projects: Sequence[ProjectStorage]
    size: int
    deleted_size: int
    unmeasured: int
    disks: Sequence[Disk]


def storage() -> Storage:
    """Of the runs of the enabled roots, as they were last measured."""
    roots = list(StorageRoot.objects.filter(enabled=True))
    runs = Run.objects.filter(root__in=[root.pk for root in roots]).order_by()
    rows = runs.values_list("project").annotate(
        size=Sum("size_bytes", filter=Q(deleted_at=None), default=0),
        deleted_size=Sum("size_bytes", filter=Q(deleted_at__isnull=False), default=0),
        without=Count("pk", filter=Q(size_bytes=None)),
    )
    sizes: dict[str, int] = {}
    deleted = unmeasured = 0
    for project, size, deleted_size, without in rows:
        sizes[project or ""] = sizes.get(project or "", 0) + size
        deleted, unmeasured = deleted + deleted_size, unmeasured + without
    largest = sorted(((size, name) for name, size in sizes.items() if size), reverse=True)[:SHOWN_PROJECTS]
    return Storage(
        projects=[ProjectStorage(name, size, 100 * size / largest[0][0]) for size, name in largest],
        size=sum(sizes.values()),
        deleted_size=deleted,
        unmeasured=unmeasured,
        disks=[
            Disk(root.path, root.free_bytes, root.disk_bytes)
            for root in roots
            if root.free_bytes is not None and root.disk_bytes is not None
        ],
    )
