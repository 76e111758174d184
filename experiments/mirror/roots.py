"""Which folder is the local storage root: what the viewer was started with, or what somebody switched to since."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import router, transaction

from experiments.mirror.write import ChangeRow, add_changes
from experiments.models import Change, StorageRoot
from runicorn import config
from runicorn.errors import UnreadableDocument, UnusableRoot


def ensure_local_root(*, now: float) -> StorageRoot:
    """The row of the local storage root. Raises UnusableRoot if its folder cannot be read.

    A switch made while this viewer runs is kept, also when one of its processes starts anew; a viewer that is started
    shows what it is started with.
    """
    root = StorageRoot.objects.filter(key=StorageRoot.LOCAL).first()
    is_switched = root is not None and root.switched_in == this_start()
    path = Path(root.path) if root is not None and is_switched else settings.RUNICORN_STORAGE_ROOT
    if not path.is_dir():
        raise UnusableRoot(f"The storage root {path} is not a folder that can be read; create it or name another one.")
    if root is None or root.path != str(path):
        return make_local(path, switched_in=None, at=now)
    return root


def make_local(path: Path, *, switched_in: str | None, at: float) -> StorageRoot:
    """Make a folder the local root. The rows of the one before stay, unseen: who switches back finds them.

    switched_in: ``this_start()`` if it is not what the viewer was started with. at: Unix seconds of the change.
    """
    with transaction.atomic(using=router.db_for_write(StorageRoot)):
        before = StorageRoot.objects.select_for_update().filter(key=StorageRoot.LOCAL).first()
        if before is not None and before.path == str(path):
            before.switched_in = switched_in
            before.save(update_fields=["switched_in"])
            return before
        if before is not None:
            before.key, before.enabled = f"former-{before.pk}", False
            before.save(update_fields=["key", "enabled"])
            add_changes([ChangeRow(Change.Kind.ROOTS.value, at)])
        root = StorageRoot.objects.filter(path=str(path)).order_by("pk").first() or StorageRoot(path=str(path))
        root.key, root.enabled, root.switched_in = StorageRoot.LOCAL, True, switched_in
        root.scanned_at = None
        root.save()
    return root


def this_start() -> str:
    """What tells this start of the viewer from others; never empty."""
    return f"{settings.RUNICORN_START_ID} {settings.RUNICORN_STORAGE_ROOT}"


class UserRootWatch:
    """Notices that the user stored another storage root: by `runicorn config --set-user-root`, or in the file itself.

    Of use where that is what the viewer was started with. Only changes count: web processes of other hosts, whose users
    have files of their own, may have switched since.
    """

    def __init__(self) -> None:
        self._known = _stored_root()

    def follow(self, *, now: float) -> None:
        """Make what was stored since the last look the local root. now: Unix seconds."""
        stored = _stored_root()
        if stored is not None and stored != self._known:
            make_local(stored, switched_in=this_start(), at=now)
            self._known = stored


def _stored_root() -> Path | None:
    """None while there is no such folder: the file may be half edited, the disk away."""
    try:
        path = Path(config.user_root())
    except UnreadableDocument:
        return None
    return path if path.is_absolute() and path.is_dir() else None
