"""summary.json: what a run came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runicorn.storage import layout
from runicorn.storage.documents import read_document, touch_runs_folder, write_document
from runicorn.storage.file_lock import file_lock
from runicorn.storage.plain import NotPlain, plain, plain_key

#: How long a change waits for one by another process.
LOCK_TIMEOUT_S = 5.0


def read_summary(run_dir: Path) -> dict[str, Any]:
    """What summary.json holds. Raises UnreadableDocument."""
    return read_document(run_dir, layout.SUMMARY) or {}


def merge_summary(
    run_dir: Path,
    update: Mapping[str, Any],
    *,
    without: Iterable[str] = (),
    dropped: Callable[[str, str], None],
) -> None:
    """Merge ``update`` into summary.json, key by key; a later value wins. without: keys to take out first.

    dropped: told (key, type) of each value that JSON cannot hold. Several processes of one run may do this at once.
    Raises OSError, and UnreadableDocument for a broken file, which stays as it is.
    """
    changes = {}
    for key, value in update.items():
        try:
            changes[plain_key(key)] = plain(value)
        except NotPlain as error:
            dropped(str(key), str(error))
    removed = set(without)
    # without the lock (a network disk that has none, or a holder that hangs) a summary is still worth writing
    with file_lock(run_dir / f"{layout.SUMMARY}.lock", timeout_s=LOCK_TIMEOUT_S):
        kept = {key: value for key, value in read_summary(run_dir).items() if key not in removed}
        write_document(run_dir / layout.SUMMARY, {**kept, **changes})
    touch_runs_folder(run_dir)
