"""Giving the files of a stored version to a caller, and never other bytes than the manifest says."""

from __future__ import annotations

import tempfile
from pathlib import Path

from runicorn.artifacts.contents import copy_verified, open_file, plain_path
from runicorn.artifacts.models import ArtifactManifest, FileEntry
from runicorn.artifacts.names import check_inner_path
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import NotFound
from runicorn.storage.paths import resolve_inside


def find_entry(manifest: ArtifactManifest, inner: str) -> FileEntry:
    """The manifest's entry of one file. Raises OutsideRoot (a ValueError), or NotFound if there is none."""
    path = check_inner_path(inner)
    for entry in manifest.files:
        if entry.path == path:
            return entry
    raise NotFound(f"File not found: {inner}")


def stored_path(place: ArtifactPlace, version: int, manifest: ArtifactManifest, inner: str) -> Path | None:
    """Where one file of a version lies, or None if the version has no such file.

    A compacted file is made plain first. Raises OutsideRoot (a ValueError), StorageDamaged, OSError.
    """
    try:
        entry = find_entry(manifest, inner)
    except NotFound:
        return None
    return plain_path(place, version, entry)


def download(place: ArtifactPlace, version: int, manifest: ArtifactManifest, target: Path | None) -> Path:
    """Copy every file of a version below ``target``, by default a new temporary folder that the caller removes.

    Each file is verified while it is copied and appears under its name only then; it may be written to. Files that
    are there already are replaced. Raises StorageDamaged for bytes that are not what was logged, OSError if
    ``target`` cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"runicorn-{place.name}-v{version}-")) if target is None else target
    folder.mkdir(parents=True, exist_ok=True)
    for entry in manifest.files:
        # a link in the folder must not lead the bytes elsewhere
        path = resolve_inside(folder, entry.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_file(place, version, entry) as source:
            copy_verified(source, path, entry, flush=False)
    return folder
