"""Hashing everything that artifacts hold and saying what is not as it was logged. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from runicorn.artifacts.chunks import ChunkStore
from runicorn.artifacts.contents import VersionFolder, all_versions
from runicorn.artifacts.documents import read_manifest, read_metadata
from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.pool import Pool
from runicorn.errors import RunicornError
from runicorn.storage import layout
from runicorn.storage.digests import Digest, digest_of, hash_file, parse_digest
from runicorn.storage.paths import open_regular

#: Called with the bytes of each content when it is hashed.
Progress = Callable[[int], None]


class Kind(str, Enum):
    """missing: a version names bytes that are nowhere. damaged: they are not what was logged. orphaned: nobody names
    them; gc removes what is old enough.
    """

    MISSING = "missing"
    DAMAGED = "damaged"
    ORPHANED = "orphaned"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be. path: below the storage root. version: ``name:v3``, None in the pool."""

    kind: Kind
    path: str
    reason: str
    version: str | None = None


@dataclass
class Verification:
    """What verify read. bytes_hashed: each content once, however many versions share it."""

    versions: int = 0
    files: int = 0
    bytes_hashed: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every version can be read as it was logged. Orphaned contents harm nobody."""
        return all(finding.kind is Kind.ORPHANED for finding in self.findings)


def verifiable_bytes(root: Path) -> int:
    """Bytes that ``verify`` would hash, at most, for a progress bar: files that share their bytes count once."""
    sizes = {entry.digest: entry.size for version in all_versions(root) for entry in _entries(version)}
    return sum(sizes.values())


def verify(root: Path, *, progress: Progress = lambda _: None) -> Verification:
    """Hash the contents of every version, deleted ones included, and look through the pool for what nobody names.

    A file that versions share by links is hashed once; a copy of its own is hashed for itself. Everything that is
    wrong is a finding; nothing stops the rest. Versions that are logged or removed meanwhile do no harm.
    """
    return _Verifier(root, progress).run()


class _Verifier:
    def __init__(self, root: Path, progress: Progress) -> None:
        self._root = root
        self._artifacts_dir = root / layout.ARTIFACTS_DIR
        self._pool = Pool(self._artifacts_dir)
        self._store = ChunkStore(self._pool.folder)
        self._progress = progress
        self._result = Verification()
        self._digest_of_file: dict[tuple[int, int], tuple[Digest, int]] = {}
        self._compacted: dict[Digest, str | None] = {}

    def run(self) -> Verification:
        before = set(self._pool.contents())
        named: set[Digest] = set()
        for version in all_versions(self._root):
            named |= self._verify_version(version)
        for digest in sorted(before):
            self._verify_shared(digest)
        # what came after the first look at the pool belongs to a version that is being made
        for digest in sorted(before - named):
            self._find(Kind.ORPHANED, self._pool.path_of(digest), "no version names it")
        return self._result

    def _verify_shared(self, digest: Digest) -> None:
        """The pool's own file: a version logged later would share it."""
        path = self._pool.path_of(digest)
        try:
            found, size = self._hash_plain(path)
        except FileNotFoundError:  # removed, or compacted, under our eyes
            return
        except (OSError, RunicornError) as error:
            self._find(Kind.DAMAGED, path, str(error))
            return
        if found != digest:
            self._find(Kind.DAMAGED, path, f"its {size} bytes have the SHA-256 {found}")

    def _verify_version(self, version: VersionFolder) -> set[Digest]:
        """Returns the contents that the version names."""
        name = f"{version.place.name}:v{version.version}"
        try:
            entries = read_manifest(version.folder).files
            self._verify_manifest(version, name)
        except RunicornError as error:
            if version.folder.exists():  # else it was removed under our eyes
                self._find(Kind.DAMAGED, version.folder / layout.VERSION_MANIFEST, str(error), name)
            return set()
        self._result.versions += 1
        for entry in entries:
            self._result.files += 1
            self._verify_file(version, entry, name)
        return {entry.digest for entry in entries}

    def _verify_manifest(self, version: VersionFolder, name: str) -> None:
        metadata = read_metadata(version.folder, version.place, version.version, {})
        try:
            promised = parse_digest(metadata.manifest_digest)
        except ValueError:  # null is allowed
            return
        with open_regular(version.folder, layout.VERSION_MANIFEST) as file:
            if digest_of(file.read()) != promised:
                self._find(
                    Kind.DAMAGED,
                    version.folder / layout.VERSION_MANIFEST,
                    "it is not the manifest that was logged",
                    name,
                )

    def _verify_file(self, version: VersionFolder, entry: FileEntry, name: str) -> None:
        path = version.path_of(entry)
        try:
            digest, size = self._hash_plain(path)
        except FileNotFoundError:
            self._verify_compacted(version, entry, path, name)
            return
        except (OSError, RunicornError) as error:
            self._find(Kind.DAMAGED, path, str(error), name)
            return
        if digest != entry.digest:
            self._find(Kind.DAMAGED, path, f"its {size} bytes have the SHA-256 {digest}", name)

    def _hash_plain(self, path: Path) -> tuple[Digest, int]:
        with open_regular(self._artifacts_dir, path.relative_to(self._artifacts_dir).as_posix()) as file:
            status = os.fstat(file.fileno())
            key = status.st_dev, status.st_ino
            if key not in self._digest_of_file:
                self._digest_of_file[key] = hash_file(file)
                self._count(status.st_size)
            return self._digest_of_file[key]

    def _verify_compacted(self, version: VersionFolder, entry: FileEntry, path: Path, name: str) -> None:
        if not self._store.has(entry.digest):
            if version.folder.exists():
                self._find(Kind.MISSING, path, f"it should have {entry.size} bytes", name)
            return
        if entry.digest not in self._compacted:
            self._compacted[entry.digest] = self._problem_of_chunks(entry)
            self._count(entry.size)
        problem = self._compacted[entry.digest]
        if problem is not None:
            self._find(Kind.DAMAGED, path, problem, name)

    def _problem_of_chunks(self, entry: FileEntry) -> str | None:
        try:
            self._store.check(entry.digest, size=entry.size)
        except RunicornError as error:
            return str(error)
        return None

    def _count(self, size: int) -> None:
        self._result.bytes_hashed += size
        self._progress(size)

    def _find(self, kind: Kind, path: Path, reason: str, version: str | None = None) -> None:
        self._result.findings.append(Finding(kind, path.relative_to(self._root).as_posix(), reason, version))


def _entries(version: VersionFolder) -> tuple[FileEntry, ...]:
    try:
        return read_manifest(version.folder).files
    except RunicornError:
        return ()
