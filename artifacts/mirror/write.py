"""Writing what looks found: all parts of one batch in one short transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import models, router, transaction

from artifacts.mirror.looks import ArtifactPart, VersionLook
from artifacts.mirror.tree import ArtifactKey
from artifacts.models import Artifact, ArtifactAlias, ArtifactFile, ArtifactReference, ArtifactVersion
from experiments.fields import encode_json
from experiments.mirror.write import ChangeRow, add_changes, fit, insert, write_problems
from experiments.models import Change, Problem, StorageRoot
from runicorn.artifacts.names import LATEST, parse_type
from runicorn.storage.digests import parse_digest, prefixed
from runicorn.storage.values import plain

#: Problems of files that belong to an artifact.
AREA = "artifacts"
#: SQLite of old builds takes 999 parameters.
KEYS_A_QUERY = 900
#: The largest number that the column of a count takes.
_MAX_COUNT = 2**31 - 1

ARTIFACT_COLUMNS = (
    "root_id",
    "type",
    "name",
    "created_at",
    "updated_at",
    "version_count",
    "latest_version",
    "latest_size_bytes",
    "search_text",
    "marks",
)

FILE_COLUMNS = ("artifact_id", "number", "path", "size", "digest", "modified_at")
REFERENCE_COLUMNS = ("artifact_id", "number", "position", "uri", "checksum", "size", "metadata")
VERSION_COLUMNS = (
    "artifact_id",
    "number",
    "folder",
    "status",
    "deleted_at",
    "created_at",
    "updated_at",
    "created_by_run",
    "created_by_user",
    "size_bytes",
    "num_files",
    "num_references",
    "description",
    "tags",
    "metadata",
    "stage",
    "manifest_digest",
    "problems",
    "marks",
    "manifest_mark",
)


def write_parts(root: StorageRoot, parts: Sequence[ArtifactPart], *, now: float) -> dict[ArtifactKey, int]:
    """Write one batch; returns Artifact.pk of each artifact in it that is not removed. now: Unix seconds.

    It may run beside another that writes the same artifacts: both write what the files say.
    """
    with transaction.atomic(using=router.db_for_write(Artifact)):
        return _Batch(root, parts, now).write()


@dataclass
class _Batch:
    """One transaction's work, in the order in which it must happen."""

    root: StorageRoot
    parts: Sequence[ArtifactPart]
    now: float
    keys: dict[ArtifactKey, int] = field(default_factory=dict)
    changes: list[ChangeRow] = field(default_factory=list)

    def write(self) -> dict[ArtifactKey, int]:
        self._hold({part.key for part in self.parts})
        self._write_problems()
        self._remove()
        self._add_missing()
        self._drop_rows()
        self._add_rows()
        self._write_versions()
        self._write_artifacts()
        add_changes(self.changes)
        return self.keys

    def _remove(self) -> None:
        """All that belongs to an artifact goes with its row."""
        self.changes += [
            ChangeRow(Change.Kind.ARTIFACT.value, self.now, root_key=self.root.key, path=key.path)
            for key in dict.fromkeys(part.key for part in self.parts)
        ]
        removed = {part.key for part in self.parts if part.removed}
        self.parts = [part for part in self.parts if part.key not in removed]
        for key in removed & self.keys.keys():
            Artifact.objects.filter(pk=self.keys.pop(key)).delete()

    def _add_missing(self) -> None:
        """Rows that are missing begin without versions, and lists do not show them yet."""
        missing = sorted({part.key for part in self.parts} - self.keys.keys())
        if missing:
            rows = [
                Artifact(root=self.root, type=key.type, name=key.name, created_at=0, updated_at=0) for key in missing
            ]
            Artifact.objects.bulk_create(rows, ignore_conflicts=True)
            self._hold(set(missing))

    def _hold(self, wanted: set[ArtifactKey]) -> None:
        """Find the rows; nobody else writes or removes what belongs to them until the transaction ends.

        As with runs (``experiments.mirror.write.held``): the artifacts' own rows first, in the order of their keys.
        """
        named = Artifact.objects.filter(root=self.root, name__in={key.name for key in wanted})
        rows = named.select_for_update(no_key=True).order_by("pk")
        found = {ArtifactKey(type_, name): pk for type_, name, pk in rows.values_list("type", "name", "pk")}
        self.keys |= {key: pk for key, pk in found.items() if key in wanted}

    def _drop_rows(self) -> None:
        for part in self.parts:
            if part.hidden:
                ArtifactVersion.objects.filter(artifact=self.keys[part.key], number__in=part.hidden).delete()
        _delete(ArtifactFile, [key for part in self.parts for key in part.dropped_files])
        _delete(ArtifactReference, [key for part in self.parts for key in part.dropped_references])

    def _add_rows(self) -> None:
        files = [
            (self.keys[part.key], number, file.path, file.size, file.digest, file.modified_at)
            for part in self.parts
            for number, file in part.files
        ]
        insert(ArtifactFile, FILE_COLUMNS, files, key=("artifact_id", "number", "path"))
        references = [
            (self.keys[part.key], number, place, item.uri, item.checksum, item.size, encode_json(plain(item.metadata)))
            for part in self.parts
            for number, place, item in part.references
        ]
        insert(ArtifactReference, REFERENCE_COLUMNS, references, key=("artifact_id", "number", "position"))

    def _write_versions(self) -> None:
        rows = [_version_row(self.keys[part.key], look) for part in self.parts for look in part.versions]
        insert(ArtifactVersion, VERSION_COLUMNS, rows, key=("artifact_id", "number"))

    def _write_artifacts(self) -> None:
        whole = {self.keys[part.key]: (part.key, part.facts) for part in self.parts if part.facts}
        living = _living(whole)
        rows, aliases = [], []
        for pk, (key, facts) in whole.items():
            now = living.get(pk, _NONE)
            named = dict(facts.aliases) if now.latest is None else {**facts.aliases, LATEST: now.latest}
            aliases += [(pk, fit(alias), number) for alias, number in named.items()]
            words = "\n".join(filter(None, (key.name, key.type, *named, now.description, *now.tags))).casefold()
            counted = (now.total, now.latest, now.size_bytes)
            rows.append((self.root.pk, *key, facts.created_at, facts.updated_at, *counted, words, facts.marks))
        insert(Artifact, ARTIFACT_COLUMNS, rows, key=("root_id", "type", "name"))
        ArtifactAlias.objects.filter(artifact__in=whole).delete()
        insert(ArtifactAlias, ("artifact_id", "alias", "number"), aliases, key=("artifact_id", "alias"))

    def _write_problems(self) -> None:
        problems = {path: reason for part in self.parts if part.facts for path, reason in part.facts.problems.items()}
        looked_at = {part.key for part in self.parts if part.facts or part.removed}
        known = Problem.objects.filter(root=self.root, area=AREA).values_list("pk", "path")
        mended = [pk for pk, path in known if path not in problems and artifact_of(path) in looked_at]
        Problem.objects.filter(pk__in=mended).delete()
        write_problems([(self.root.pk, None, path, reason, self.now) for path, reason in problems.items()], area=AREA)


class _Living(NamedTuple):
    """The versions of an artifact that are not deleted. size_bytes, description, tags: of the latest."""

    total: int
    latest: int | None
    size_bytes: int
    description: str
    tags: Sequence[str]


_NONE = _Living(0, None, 0, "", ())


def _living(artifacts: Collection[int]) -> dict[int, _Living]:
    """By Artifact.pk; one without living versions is left out."""
    counts: Counter[int] = Counter()
    latest: dict[int, int] = {}
    rows = ArtifactVersion.objects.filter(artifact__in=artifacts, deleted_at=None).order_by("number")
    for artifact, pk in rows.values_list("artifact_id", "pk"):
        counts[artifact] += 1
        latest[artifact] = pk
    newest = ArtifactVersion.objects.filter(pk__in=latest.values())
    return {
        version.artifact_id: _Living(
            counts[version.artifact_id], version.number, version.size_bytes, version.description, version.tags
        )
        for version in newest.only("artifact_id", "number", "size_bytes", "description", "tags")
    }


def artifact_of(path: str) -> ArtifactKey | None:
    """Which artifact a file below ``artifacts/`` belongs to; None for what belongs to none."""
    parts = path.split("/", 3)
    if len(parts) < 4:
        return None
    return ArtifactKey(parse_type(parts[1]), parts[2])


def _version_row(artifact: int, look: VersionLook) -> tuple[Any, ...]:
    metadata, state = look.metadata, look.state
    return (
        artifact,
        metadata.version,
        look.folder,
        metadata.status[:32],
        look.deleted_at,
        metadata.created_at,
        metadata.updated_at,
        fit(metadata.created_by_run),
        None if metadata.created_by_user is None else fit(metadata.created_by_user),
        metadata.size_bytes,
        min(max(metadata.num_files, 0), _MAX_COUNT),
        min(max(metadata.num_references, 0), _MAX_COUNT),
        metadata.description,
        encode_json(metadata.tags),
        encode_json(plain(metadata.metadata)),
        look.stage,
        _digest_text(metadata.manifest_digest),
        encode_json(state.problems),
        state.marks,
        state.manifest_mark,
    )


def _digest_text(value: str | None) -> str | None:
    """``sha256:<hex>``, also of the bare hex that 0.4 wrote; what is no digest, as it is."""
    try:
        return None if value is None else prefixed(parse_digest(value))
    except ValueError:
        return str(fit(value))


def _delete(model: type[models.Model], keys: Sequence[int]) -> None:
    for first in range(0, len(keys), KEYS_A_QUERY):
        model._default_manager.filter(pk__in=keys[first : first + KEYS_A_QUERY]).delete()
