"""What a look at one artifact's folders found, in parts of which each is written in one short transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from artifacts.mirror.marks import artifact_marks, manifest_mark, version_marks
from artifacts.mirror.tree import ArtifactKey
from artifacts.models import ArtifactFile, ArtifactReference
from runicorn.artifacts.curation import stage_of
from runicorn.artifacts.documents import is_deleted, read_index, read_manifest, read_metadata
from runicorn.artifacts.models import ArtifactMetadata, ArtifactStatus, FileEntry, ReferenceEntry
from runicorn.artifacts.names import LATEST
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document
from runicorn.storage.values import number, text

Row = TypeVar("Row")

#: Rows of files written or removed in one transaction [4,000: 16 ms].
ROWS_A_PART = 4000


@dataclass(frozen=True)
class VersionState:
    """What the mirror remembers of a version between two looks."""

    marks: str
    manifest_mark: str
    problems: Mapping[str, str]


@dataclass
class ArtifactState:
    """What the mirror remembers of an artifact between two looks. key: Artifact.pk."""

    key: int
    marks: str
    versions: dict[int, VersionState] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    hot_until: float = 0.0

    @property
    def home_marks(self) -> str:
        return "\n".join(self.marks.split("\n")[:2])


@dataclass(frozen=True)
class VersionLook:
    """A version as its documents have it. folder: relative to the root. deleted_at: Unix seconds, or None."""

    metadata: ArtifactMetadata
    stage: str
    folder: str
    deleted_at: float | None
    state: VersionState


@dataclass(frozen=True)
class ArtifactFacts:
    """What a whole look says of the artifact itself. aliases: without ``latest``, which follows from the versions.

    problems: all of this artifact's, by path relative to the root.
    """

    created_at: float
    updated_at: float
    aliases: Mapping[str, int]
    marks: str
    problems: dict[str, str]


@dataclass
class ArtifactPart:
    """Some of what is to be written of one artifact, in the order of the fields. facts: in its last part."""

    key: ArtifactKey
    removed: bool = False
    hidden: list[int] = field(default_factory=list)
    #: Primary keys.
    dropped_files: list[int] = field(default_factory=list)
    dropped_references: list[int] = field(default_factory=list)
    #: With the number of the version, references with their position, too.
    files: list[tuple[int, FileEntry]] = field(default_factory=list)
    references: list[tuple[int, int, ReferenceEntry]] = field(default_factory=list)
    versions: list[VersionLook] = field(default_factory=list)
    facts: ArtifactFacts | None = None

    @property
    def weight(self) -> int:
        dropped = len(self.dropped_files) + len(self.dropped_references)
        return 1 + dropped + len(self.files) + len(self.references) + len(self.versions)


def look_at_artifact(root: Path, key: ArtifactKey, known: ArtifactState | None) -> Iterator[ArtifactPart]:
    """Compare an artifact's folders with what is known of it; nothing if nothing changed.

    The parts are to be written in their order. Manifests are read one at a time, when their turn comes.
    """
    place = key.place(root)
    marks = artifact_marks(place)
    folders = place.version_folders()
    if not folders:
        return _removal(key, known) if known else iter(())
    before = known.versions if known else {}
    changed = {
        version: folder
        for version, folder in folders.items()
        if version not in before
        or before[version].marks != version_marks(folder)
        or before[version].manifest_mark != manifest_mark(folder)
    }
    gone = before.keys() - folders.keys()
    if known and not changed and not gone and known.marks == marks:
        return iter(())
    return _Look(place, key, known, folders, marks).parts(changed, gone)


class _Look:
    """A look that found something."""

    def __init__(
        self,
        place: ArtifactPlace,
        key: ArtifactKey,
        known: ArtifactState | None,
        folders: Mapping[int, Path],
        marks: str,
    ) -> None:
        self._place, self._key, self._known, self._folders, self._marks = place, key, known, folders, marks
        self._before = known.versions if known else {}
        self._index = read_index(place)
        self._part = ArtifactPart(key)

    def parts(self, changed: Mapping[int, Path], gone: Iterable[int]) -> Iterator[ArtifactPart]:
        for version in sorted(gone):
            yield from self._drop_rows(version)
        states = {version: state for version, state in self._before.items() if version in self._folders}
        for version, folder in changed.items():
            # the mark before the reading: what changes meanwhile is found by the next look
            before, mark, problems = self._before.get(version), manifest_mark(folder), dict[str, str]()
            if before is None or before.manifest_mark != mark:
                yield from self._drop_rows(version)
                yield from self._add_rows(version, folder, problems)
            elif layout.VERSION_MANIFEST in before.problems:
                problems[layout.VERSION_MANIFEST] = before.problems[layout.VERSION_MANIFEST]
            look = self._look_at_version(version, folder, mark, problems)
            states[version] = look.state
            self._part.versions.append(look)
            yield from self._full_part()
        self._part.facts = self._facts(states)
        yield self._part

    def _full_part(self) -> Iterator[ArtifactPart]:
        if self._part.weight >= ROWS_A_PART:
            part, self._part = self._part, ArtifactPart(self._key)
            yield part

    def _drop_rows(self, version: int) -> Iterator[ArtifactPart]:
        """The version's row first, then those of its files; also of one that a crash left without a row."""
        if self._known is None:
            return
        if version in self._before:
            self._part.hidden.append(version)
        rows = {"artifact": self._known.key, "number": version}
        self._part.dropped_references += ArtifactReference.objects.filter(**rows).values_list("pk", flat=True)
        for files in _slices(list(ArtifactFile.objects.filter(**rows).values_list("pk", flat=True))):
            self._part.dropped_files += files
            yield from self._full_part()

    def _add_rows(self, version: int, folder: Path, problems: dict[str, str]) -> Iterator[ArtifactPart]:
        try:
            manifest = read_manifest(folder)
        except UnreadableDocument as error:
            problems[layout.VERSION_MANIFEST] = text(str(error))
            return
        for files in _slices(manifest.files):
            self._part.files += [(version, entry) for entry in files]
            yield from self._full_part()
        for references in _slices(list(enumerate(manifest.references))):
            self._part.references += [(version, position, entry) for position, entry in references]
            yield from self._full_part()

    def _look_at_version(self, version: int, folder: Path, mark: str, problems: dict[str, str]) -> VersionLook:
        marks = version_marks(folder)
        try:
            metadata = read_metadata(folder, self._place, version, {})
        except UnreadableDocument as error:
            problems[layout.VERSION_METADATA] = text(str(error))
            metadata = self._as_listed(version, folder)
        return VersionLook(
            metadata=metadata,
            stage=stage_of(metadata),
            folder=self._relative(folder),
            deleted_at=_deleted_at(folder),
            state=VersionState(marks, mark, problems),
        )

    def _as_listed(self, version: int, folder: Path) -> ArtifactMetadata:
        """What versions.json says of a version whose own metadata cannot be read."""
        listed = next((info.to_dict() for info in self._index.versions if info.version == version), {})
        status = ArtifactStatus.DELETED if is_deleted(folder) else ArtifactStatus.CORRUPTED
        return ArtifactMetadata.from_dict({**listed, "version": version, "status": status.value})

    def _facts(self, states: Mapping[int, VersionState]) -> ArtifactFacts:
        problems = {
            f"{self._relative(self._folders[version])}/{document}": reason
            for version, state in states.items()
            for document, reason in state.problems.items()
        }
        for home in (self._place.home, self._place.older_home):
            try:
                read_document(home, layout.VERSIONS)
            except UnreadableDocument as error:
                problems[f"{self._relative(home)}/{layout.VERSIONS}"] = text(str(error))
        return ArtifactFacts(
            created_at=self._index.created_at,
            updated_at=self._index.updated_at,
            aliases={alias: version for alias, version in self._index.aliases.items() if alias != LATEST},
            marks=self._marks,
            problems=problems,
        )

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._place.root).as_posix()


def _removal(key: ArtifactKey, known: ArtifactState) -> Iterator[ArtifactPart]:
    """An artifact without versions is none. Few rows are left when its own goes."""
    yield ArtifactPart(key, hidden=list(known.versions))
    for files in _slices(list(ArtifactFile.objects.filter(artifact=known.key).values_list("pk", flat=True))):
        yield ArtifactPart(key, dropped_files=list(files))
    yield ArtifactPart(key, removed=True)


def _deleted_at(folder: Path) -> float | None:
    """When the version was put into the recycle bin. The marker counts even when it is empty or unreadable."""
    marker = folder / layout.DELETED
    try:
        changed_at = os.lstat(marker).st_mtime
    except OSError:
        return None
    try:
        said = number((read_document(folder, layout.DELETED) or {}).get("deleted_at"))
    except UnreadableDocument:
        said = None
    return changed_at if said is None else said


def _slices(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[first : first + ROWS_A_PART] for first in range(0, len(rows), ROWS_A_PART))
