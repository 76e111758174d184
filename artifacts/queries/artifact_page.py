"""What the page of an artifact shows: its head, its versions, and a version's files, documents and evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q

from artifacts.models import Artifact, ArtifactFile, ArtifactReference, ArtifactVersion
from artifacts.queries.artifacts import aliases_by_version, versions_of
from artifacts.queries.links import RunLink, ambiguous_names, artifact_address, run_links
from runicorn.artifacts.curation import STAGE_MOVES, list_of
from runicorn.artifacts.evaluations import EvaluationRecord, read_evaluations
from runicorn.artifacts.names import LATEST
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document
from runicorn.storage.values import number, optional_text

VERSIONS_PER_PAGE = 50
FILES_PER_PAGE = 100
#: References that one page names; the API gives the others.
MAX_REFERENCES = 200
MAX_EVALUATIONS = 50
MAX_METRICS = 100


@dataclass(frozen=True)
class ArtifactHead:
    """What stands above every tab. address: the query that keeps links on this artifact, mostly empty.

    older, newer: the next versions outside the recycle bin.
    """

    artifact: Artifact
    version: ArtifactVersion
    address: str
    aliases_by_version: dict[int, list[str]]
    made_by: RunLink | None
    older: int | None
    newer: int | None

    @property
    def aliases(self) -> list[str]:
        return self.aliases_by_version.get(self.version.number, [])

    @property
    def own_address(self) -> str:
        """The query that means this very artifact, also when another one of its name is made."""
        return artifact_address(self.artifact.type, self.artifact.root.key, is_ambiguous=True)

    @property
    def other_aliases(self) -> list[str]:
        """Without ``latest``, which follows the versions by itself."""
        return [alias for alias in self.aliases if alias != LATEST]

    @property
    def is_latest(self) -> bool:
        return self.version.number == self.artifact.latest_version

    @property
    def folder(self) -> str:
        """Absolute."""
        return str(Path(self.artifact.root.path, self.version.folder))

    @property
    def stage_moves(self) -> tuple[str, ...]:
        """The stages that the version can be moved to."""
        return STAGE_MOVES.get(self.version.stage, ())


@dataclass(frozen=True)
class VersionRow:
    number: int
    size_bytes: int
    num_files: int
    num_references: int
    created_at: float
    deleted_at: float | None
    stage: str
    status: str
    is_damaged: bool
    aliases: list[str]
    made_by: RunLink | None


@dataclass(frozen=True)
class VersionTable:
    """Some of the versions, the newest first. deleted_count: of all of them, how many are in the recycle bin."""

    page: Page[ArtifactVersion]
    rows: list[VersionRow]
    deleted_count: int
    shows_deleted: bool


@dataclass(frozen=True)
class FilePage:
    """Some of a version's files, by path. match: what is in all their paths. problem: why none can be listed."""

    page: Page[ArtifactFile]
    match: str
    references: list[ArtifactReference]
    more_references: int
    problem: str | None


@dataclass(frozen=True)
class StageChange:
    """One move of a version's stage. at: Unix seconds, None if the file does not say."""

    from_stage: str
    to_stage: str
    at: float | None
    notes: str


@dataclass(frozen=True)
class EvaluationRow:
    """How a version did once. at: Unix seconds. metrics: name and whatever the record has."""

    status: str
    at: float
    metrics: list[tuple[str, object]]
    test_dataset: str
    made_by: RunLink | None
    notes: str


@dataclass(frozen=True)
class VersionDocuments:
    """What is read from a version's own files: how its stage came about and how it did, the newest first.

    damage: why something cannot be read.
    """

    transitions: list[StageChange]
    evaluations: list[EvaluationRow]
    damage: str


def artifact_head(version: ArtifactVersion) -> ArtifactHead:
    """version: with its ``artifact`` and that one's ``root`` loaded, in the recycle bin or not."""
    artifact = version.artifact
    numbers = versions_of(artifact).filter(Q(deleted_at=None) | Q(pk=version.pk)).values_list("number", flat=True)
    key = (artifact.root_id, version.created_by_run)
    return ArtifactHead(
        artifact=artifact,
        version=version,
        address=address_of(artifact),
        aliases_by_version=aliases_by_version(artifact),
        made_by=run_links([key])[key] if version.created_by_run else None,
        older=numbers.filter(number__lt=version.number).order_by("-number").first(),
        newer=numbers.filter(number__gt=version.number).order_by("number").first(),
    )


def address_of(artifact: Artifact) -> str:
    """The query that a link to the artifact needs; ``root`` is loaded."""
    is_ambiguous = bool(ambiguous_names([artifact.name]))
    return artifact_address(artifact.type, artifact.root.key, is_ambiguous=is_ambiguous)


def version_table(head: ArtifactHead, *, shows_deleted: bool, page_number: str | None) -> VersionTable:
    """The page of versions that was asked for, or the one that the chosen version is on."""
    versions = versions_of(head.artifact).reverse()
    deleted_count = versions.filter(deleted_at__isnull=False).count()
    if not shows_deleted:
        versions = versions.filter(Q(deleted_at=None) | Q(pk=head.version.pk))
    if page_number is None:
        newer = versions.filter(number__gt=head.version.number).count()
        page_number = str(newer // VERSIONS_PER_PAGE + 1)
    page = Paginator(versions.defer("metadata", "marks", "description", "tags"), VERSIONS_PER_PAGE).get_page(
        page_number
    )
    root, listed = head.artifact.root_id, list(page.object_list)
    links = run_links((root, version.created_by_run) for version in listed if version.created_by_run)
    rows = [
        VersionRow(
            number=version.number,
            size_bytes=version.size_bytes,
            num_files=version.num_files,
            num_references=version.num_references,
            created_at=version.created_at,
            deleted_at=version.deleted_at,
            stage=version.stage,
            status=version.status,
            is_damaged=bool(version.problems),
            aliases=head.aliases_by_version.get(version.number, []),
            made_by=links.get((root, version.created_by_run)),
        )
        for version in listed
    ]
    return VersionTable(page, rows, deleted_count, shows_deleted)


def file_page(version: ArtifactVersion, *, match: str, page_number: str | None) -> FilePage:
    """The version's files whose path has ``match`` in it."""
    files = ArtifactFile.objects.filter(artifact=version.artifact_id, number=version.number).order_by("path")
    match = match.strip().replace("\x00", "")
    if match:
        files = files.filter(path__contains=match)
    references = ArtifactReference.objects.filter(artifact=version.artifact_id, number=version.number)
    return FilePage(
        page=Paginator(files, FILES_PER_PAGE).get_page(page_number),
        match=match,
        references=list(references.order_by("position")[:MAX_REFERENCES]) if version.num_references else [],
        more_references=max(0, version.num_references - MAX_REFERENCES),
        problem=version.problems.get(layout.VERSION_MANIFEST),
    )


def version_documents(version: ArtifactVersion) -> VersionDocuments:
    """``artifact`` and its ``root`` are loaded."""
    root = Path(version.artifact.root.path)
    transitions: list[Any] = []
    damage = ""
    try:
        document = read_document(root / version.folder, layout.VERSION_METADATA) or {}
        transitions = list_of(document.get("stage_transitions"))
    except UnreadableDocument as error:
        damage = str(error)
    records = read_evaluations(root, version.artifact.name, version.artifact.type)
    of_version = [record for record in records if record.version == version.number][:MAX_EVALUATIONS]
    return VersionDocuments(
        transitions=[_stage_change(move) for move in reversed(transitions) if isinstance(move, Mapping)],
        evaluations=_evaluation_rows(version.artifact.root_id, of_version),
        damage=damage,
    )


def _stage_change(move: Mapping[str, Any]) -> StageChange:
    from_stage, to_stage, notes = (optional_text(move.get(key)) or "" for key in ("from_stage", "to_stage", "notes"))
    return StageChange(from_stage, to_stage, number(move.get("timestamp")), notes)


def _evaluation_rows(root: int, records: Sequence[EvaluationRecord]) -> list[EvaluationRow]:
    run_ids = [optional_text(record.document.get("evaluator_run_id")) for record in records]
    links = run_links((root, run_id) for run_id in run_ids if run_id)
    rows = []
    for record, run_id in zip(records, run_ids, strict=True):
        metrics = record.document.get("metrics")
        rows.append(
            EvaluationRow(
                status=optional_text(record.document.get("status")) or "",
                at=record.evaluated_at,
                metrics=list(metrics.items())[:MAX_METRICS] if isinstance(metrics, Mapping) else [],
                test_dataset=optional_text(record.document.get("test_dataset")) or "",
                made_by=links[root, run_id] if run_id else None,
                notes=optional_text(record.document.get("notes")) or "",
            )
        )
    return rows
