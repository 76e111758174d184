"""artifacts_created.json and artifacts_used.json of a run: which versions it made and which it read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runicorn.artifacts.models import ArtifactMetadata
from runicorn.errors import Conflict
from runicorn.storage import layout
from runicorn.storage.documents import read_document, touch_runs_folder, write_document
from runicorn.storage.file_lock import file_lock

LOCK = "artifacts.lock"
LOCK_TIMEOUT_S = 30.0


def record_created(run_dir: Path, metadata: ArtifactMetadata) -> None:
    """Raises Conflict, UnreadableDocument (the record is left as it is) and OSError."""
    entry = _entry(metadata) | {"num_references": metadata.num_references}
    _record(run_dir, layout.ARTIFACTS_CREATED, {**entry, "created_at": metadata.created_at})


def record_used(run_dir: Path, metadata: ArtifactMetadata, *, at: float) -> None:
    """A version that the run used before stands once. at: Unix seconds. Raises as record_created."""
    _record(run_dir, layout.ARTIFACTS_USED, {**_entry(metadata), "used_at": at})


def _entry(metadata: ArtifactMetadata) -> dict[str, Any]:
    return {
        "name": metadata.name,
        "type": metadata.type,
        "version": metadata.version,
        "size_bytes": metadata.size_bytes,
        "num_files": metadata.num_files,
    }


def _record(run_dir: Path, document: str, entry: dict[str, Any]) -> None:
    """Append an entry unless the version is there. Threads and processes of one run may do so at once."""
    with file_lock(run_dir / LOCK, timeout_s=LOCK_TIMEOUT_S) as held:
        if held is False:
            raise Conflict(f"Somebody else has held {run_dir / LOCK} for {LOCK_TIMEOUT_S:.0f} s; try again.")
        values = read_document(run_dir, document) or {}
        listed = values.get("artifacts")
        entries = listed if isinstance(listed, list) else []
        if any(_key(other) == _key(entry) for other in entries):
            return
        write_document(run_dir / document, {**values, "artifacts": [*entries, entry]})
    touch_runs_folder(run_dir)


def _key(entry: object) -> tuple[Any, ...] | None:
    return (entry.get("type"), entry.get("name"), entry.get("version")) if isinstance(entry, dict) else None
