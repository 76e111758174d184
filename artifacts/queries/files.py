"""Files and references of a version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from artifacts.models import ArtifactFile, ArtifactReference, ArtifactVersion
from runicorn.artifacts.models import FileEntry
from runicorn.errors import NotFound, UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.digests import Digest, prefixed

#: Files read by one query: who reads a long list slowly holds no transaction.
ROWS_A_QUERY = 5000

_COLUMNS = ("path", "size", "digest", "modified_at")


def files_in(version: ArtifactVersion) -> Iterator[FileEntry]:
    """Every file of the version, sorted by path as the database does it. Raises UnreadableDocument at once."""
    _check_manifest(version)
    return _files_in(version)


def _files_in(version: ArtifactVersion) -> Iterator[FileEntry]:
    files = ArtifactFile.objects.filter(artifact=version.artifact_id, number=version.number).order_by("path")
    place = ""
    while True:
        rows = list(files.filter(path__gt=place).values_list(*_COLUMNS)[:ROWS_A_QUERY])
        for path, size, digest, modified_at in rows:
            yield FileEntry(path, size, Digest(digest), modified_at)
        if len(rows) < ROWS_A_QUERY:
            return
        place = rows[-1][0]


def get_file(version: ArtifactVersion, path: str) -> FileEntry:
    """One file by its path in the version. Raises NotFound, UnreadableDocument."""
    _check_manifest(version)
    row = None
    if "\x00" not in path:  # PostgreSQL has none in any text, and asks not to be asked
        files = ArtifactFile.objects.filter(artifact=version.artifact_id, number=version.number, path=path)
        row = files.values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound(f"File not found: {path}")
    found, size, digest, modified_at = row
    return FileEntry(found, size, Digest(digest), modified_at)


def file_slices(version: ArtifactVersion, *, slice_size: int) -> Iterator[list[dict[str, Any]]]:
    """The files as API items, in lists of at most ``slice_size``. Raises UnreadableDocument at once."""
    return _slices(files_in(version), version, slice_size)


def _slices(files: Iterator[FileEntry], version: ArtifactVersion, slice_size: int) -> Iterator[list[dict[str, Any]]]:
    folder = Path(version.artifact.root.path, version.folder, layout.VERSION_FILES_DIR)
    items: list[dict[str, Any]] = []
    for entry in files:
        items.append(
            {
                "path": entry.path,
                "size": entry.size,
                "digest": prefixed(entry.digest),
                "modified_at": entry.modified_at,
                "absolute_path": f"{folder}/{entry.path}",
                "is_remote": False,
            }
        )
        if len(items) == slice_size:
            yield items
            items = []
    yield items


def references_in(version: ArtifactVersion) -> list[dict[str, Any]]:
    """The references as API items, in the order of the manifest."""
    rows = ArtifactReference.objects.filter(artifact=version.artifact_id, number=version.number)
    return [dict(row) for row in rows.order_by("position").values("uri", "checksum", "size", "metadata")]


def _check_manifest(version: ArtifactVersion) -> None:
    if problem := version.problems.get(layout.VERSION_MANIFEST):
        raise UnreadableDocument(problem)
