"""The recycle bin of run directories: a marker file makes a run deleted, removing the marker brings it back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from runicorn.errors import StorageDamaged, UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document, touch_runs_folder, write_document

UNKNOWN = "unknown"


def original_status(run_dir: Path) -> str:
    """What the run was when it was deleted, or "unknown" if its marker does not say."""
    try:
        status = (read_document(run_dir, layout.DELETED) or {}).get("original_status")
    except UnreadableDocument:
        return UNKNOWN
    return status if isinstance(status, str) else UNKNOWN


def mark_deleted(run_dir: Path, *, reason: str, original_status: str, at: float) -> bool:
    """Put a run into the recycle bin. False if it was there already. at: Unix seconds. Raises StorageDamaged."""
    if os.path.lexists(run_dir / layout.DELETED):
        return False
    document = {"deleted_at": at, "reason": reason, "original_status": original_status}
    try:
        write_document(run_dir / layout.DELETED, document)
    except OSError as error:
        raise StorageDamaged(f"{run_dir} cannot be marked as deleted: {error.strerror}.") from error
    touch_runs_folder(run_dir)
    return True


def restore(run_dir: Path) -> bool:
    """Take a run out of the recycle bin. False if it was not there. Raises StorageDamaged."""
    try:
        (run_dir / layout.DELETED).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageDamaged(f"{run_dir} cannot be restored: {error.strerror}.") from error
    touch_runs_folder(run_dir)
    return True


def purge(run_dir: Path) -> None:
    """Remove a deleted run's directory for ever, never following a link.

    The marker goes last, and under a hidden name: whatever interrupts the removal or writes into the directory
    meanwhile, what is left is a deleted run or nothing that anybody lists.
    Raises StorageDamaged if something could not be removed, or if the run is not in the recycle bin.
    """
    if run_dir.is_symlink() or not os.path.lexists(run_dir / layout.DELETED):
        raise StorageDamaged(f"{run_dir} is not a run directory in the recycle bin; nothing was removed.")
    try:
        for entry in sorted(run_dir.iterdir()):
            if entry.name == layout.DELETED:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        hidden = run_dir.with_name(f".{run_dir.name}.{os.urandom(4).hex()}.tmp")
        run_dir.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise StorageDamaged(f"{error.filename or run_dir} cannot be removed: {error.strerror}.") from error
    touch_runs_folder(run_dir)
