"""Moving the bytes of cold versions into chunks that versions share: docs/design/0018-artifact-chunks.md."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from runicorn.artifacts.chunks import ChunkStore, CompactedBlob
from runicorn.artifacts.contents import VersionFolder, all_versions
from runicorn.artifacts.documents import read_index, read_manifest, read_metadata
from runicorn.artifacts.models import FileEntry
from runicorn.artifacts.names import LATEST
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.pool import Pool
from runicorn.errors import RunicornError, StorageDamaged
from runicorn.storage.digests import Digest

#: A smaller file is stored whole: it would be one chunk, and equal ones share their bytes already.
MIN_BYTES = 256 * 1024


@dataclass(frozen=True)
class ColdVersions:
    """Which versions to compact. older_than_s: by their creation. name, type: only these; None means all.

    The latest version of an artifact, and those with an alias, are left plain unless asked for.
    """

    older_than_s: float = 0.0
    name: str | None = None
    type: str | None = None
    include_latest: bool = False
    include_aliased: bool = False


@dataclass(frozen=True)
class CompactionReport:
    """What a compaction did, or would do. Bytes are those of contents.

    plain_bytes: of the contents that are chunks now; their plain files are gone. chunk_bytes: what was stored for
    them. versions: those that hold one of these contents. problems: what stayed plain, with path and reason.
    """

    versions: int = 0
    blobs: int = 0
    plain_bytes: int = 0
    chunk_bytes: int = 0
    problems: tuple[str, ...] = ()

    @property
    def freed_bytes(self) -> int:
        return self.plain_bytes - self.chunk_bytes


#: Called with the bytes of each content when it is done.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Blob:
    """One content to compact. files: every file of a chosen version that holds it and is plain."""

    digest: Digest
    size: int
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    """chosen: the versions to compact, ascending within an artifact. blobs: what each artifact gives."""

    chosen: list[VersionFolder]
    blobs: dict[ArtifactPlace, list[_Blob]]
    problems: list[str]


def compactable_bytes(root: Path, cold: ColdVersions, *, at: float) -> int:
    """Bytes that ``compact`` would read, for a progress bar. at: Unix seconds."""
    return sum(blob.size for blobs in _plan(root, cold, at=at).blobs.values() for blob in blobs)


def compact(
    root: Path, cold: ColdVersions, *, at: float, dry_run: bool = False, progress: Progress = lambda _: None
) -> CompactionReport:
    """Keep the contents of cold versions as chunks. at: Unix seconds, by the clock that dated the versions.

    A content is compacted if no other version holds it, and its plain files are removed only after its chunks gave
    the same bytes back. Whatever interrupts this, every version can be read. Logging, and reading, go on meanwhile.
    dry_run: says what would be stored, and writes nothing.
    Raises Conflict if somebody else compacts or collects, StorageDamaged where there are no locks, InvalidInput where
    pyfastcdc is missing.
    """
    plan = _plan(root, cold, at=at)
    done: list[CompactedBlob] = []
    for place, blobs in plan.blobs.items():
        pool = Pool(place.artifacts_dir)
        store = ChunkStore(pool.folder)
        with _compacting(place, store, dry_run=dry_run) as compact_one:
            for blob in blobs:
                source = next(filter(_is_plain, blob.files), None)
                if source is not None:  # else its versions were removed meanwhile
                    try:
                        done.append(compact_one(blob.digest, source))
                        if not dry_run:
                            _remove_plain(blob, pool)
                    except StorageDamaged as error:
                        if _is_plain(source):
                            plan.problems.append(str(error))
                progress(blob.size)
        if not dry_run:
            place.touch()
    return _report(plan, done)


@contextmanager
def _compacting(
    place: ArtifactPlace, store: ChunkStore, *, dry_run: bool
) -> Iterator[Callable[[Digest, Path], CompactedBlob]]:
    """What compacts one content of an artifact after the other, or with ``dry_run`` says what that would store."""
    against = _compacted_before(place, store)
    if dry_run:
        yield store.estimating(against).estimate
        return
    with store.compacting(against) as compactor:
        yield compactor.compact


def _plan(root: Path, cold: ColdVersions, *, at: float) -> _Plan:
    """Every content that only chosen versions hold, with its plain files."""
    chosen: list[VersionFolder] = []
    held_elsewhere: set[Digest] = set()
    problems: list[str] = []
    entries: list[tuple[VersionFolder, FileEntry]] = []
    for version in all_versions(root):
        try:
            files = read_manifest(version.folder).files
            is_chosen = _is_cold(version, cold, at=at)
        except RunicornError as error:
            if version.folder.exists():  # else it was removed under our eyes
                problems.append(str(error))
            continue
        if is_chosen:
            chosen.append(version)
            entries += [(version, entry) for entry in files if entry.size >= MIN_BYTES]
        else:
            held_elsewhere |= {entry.digest for entry in files}
    return _Plan(chosen, _blobs_of(entries, held_elsewhere), problems)


def _is_cold(version: VersionFolder, cold: ColdVersions, *, at: float) -> bool:
    place = version.place
    if cold.name not in (None, place.name) or cold.type not in (None, place.type):
        return False
    aliases = {alias for alias, target in read_index(place).aliases.items() if target == version.version}
    if (LATEST in aliases and not cold.include_latest) or (aliases - {LATEST} and not cold.include_aliased):
        return False
    metadata = read_metadata(version.folder, place, version.version, {})
    return at - metadata.created_at >= cold.older_than_s


def _blobs_of(
    entries: Iterable[tuple[VersionFolder, FileEntry]], held_elsewhere: Collection[Digest]
) -> dict[ArtifactPlace, list[_Blob]]:
    """Each content once, with the artifact that has it first. What is compacted already has no plain file."""
    blobs: dict[Digest, _Blob] = {}
    places: dict[ArtifactPlace, list[_Blob]] = {}
    for version, entry in entries:
        path = version.path_of(entry)
        if entry.digest in held_elsewhere or not _is_plain(path):
            continue
        blob = blobs.get(entry.digest)
        if blob is None:
            blob = blobs[entry.digest] = _Blob(entry.digest, entry.size)
            places.setdefault(version.place, []).append(blob)
        blob.files.append(path)
    return places


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _compacted_before(place: ArtifactPlace, store: ChunkStore) -> list[Digest]:
    """The compacted contents of an artifact, those of the newest version last."""
    found: dict[Digest, None] = {}
    for folder in place.version_folders().values():
        with suppress(RunicornError):
            found |= {entry.digest: None for entry in read_manifest(folder).files if store.has(entry.digest)}
    return list(found)


def _remove_plain(blob: _Blob, pool: Pool) -> None:
    """The chunks are durable and verified. A writer that linked the pool's file meanwhile keeps its own name of it."""
    try:
        for path in (*blob.files, pool.path_of(blob.digest)):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageDamaged(f"{error.filename} cannot be removed: {error.strerror}.") from error


def _report(plan: _Plan, done: Sequence[CompactedBlob]) -> CompactionReport:
    compacted = {blob.digest for blob in done}
    files = {path for blobs in plan.blobs.values() for blob in blobs if blob.digest in compacted for path in blob.files}
    return CompactionReport(
        versions=sum(any(version.folder in path.parents for path in files) for version in plan.chosen),
        blobs=len(done),
        plain_bytes=sum(blob.size_bytes for blob in done),
        chunk_bytes=sum(blob.new_bytes for blob in done),
        problems=tuple(plan.problems),
    )
