"""What differs between two versions of an artifact: their metadata and their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from artifacts.models import ArtifactFile, ArtifactVersion
from experiments.fields import encode_json
from runicorn.errors import VersionNotFound

#: Lines of each part that a page prints; the others are counted.
MAX_LINES = 300
MAX_VALUE_CHARS = 500
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True)
class Difference:
    """One key or file. before, after: its values as JSON, None where it is not there."""

    key: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return ADDED
        return REMOVED if self.after is None else CHANGED


@dataclass(frozen=True)
class Differences:
    """By key, at most MAX_LINES of them. counts: of each kind, of all of them. same: how many do not differ."""

    lines: list[Difference]
    counts: dict[str, int]
    same: int

    @property
    def left_out(self) -> int:
        return sum(self.counts.values()) - len(self.lines)


def metadata_differences(before: ArtifactVersion, after: ArtifactVersion) -> Differences:
    """Keys of nested objects are joined by dots; a list is one value."""
    old, new = dict(_leaves(before.metadata)), dict(_leaves(after.metadata))
    found = [
        Difference(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if key not in old or key not in new or old[key] != new[key]
    ]
    counts = {kind: sum(line.kind == kind for line in found) for kind in (ADDED, REMOVED, CHANGED)}
    lines = [Difference(line.key, _shortened(line.before), _shortened(line.after)) for line in found[:MAX_LINES]]
    return Differences(lines, counts, same=len(old.keys() | new.keys()) - len(found))


def file_differences(before: ArtifactVersion, after: ArtifactVersion) -> Differences:
    """Files by path; what differs is the content. Values are sizes in bytes. Both are of one artifact."""
    old, new = _files(before), _files(after)
    in_old, in_new = old.filter(path=OuterRef("path")), new.filter(path=OuterRef("path"))
    added, removed = new.filter(~Exists(in_old)), old.filter(~Exists(in_new))
    changed = new.filter(Exists(in_old.exclude(digest=OuterRef("digest"))))
    counts = {ADDED: added.count(), REMOVED: removed.count(), CHANGED: changed.count()}
    sizes = changed.annotate(before=Subquery(in_old.values("size")[:1])).values_list("path", "before", "size")
    lines = [
        *(Difference(path, None, str(size)) for path, size in added.values_list("path", "size")[:MAX_LINES]),
        *(Difference(path, str(size), None) for path, size in removed.values_list("path", "size")[:MAX_LINES]),
        *(Difference(path, str(size), str(new_size)) for path, size, new_size in sizes[:MAX_LINES]),
    ]
    same = new.count() - counts[ADDED] - counts[CHANGED]
    return Differences(sorted(lines, key=lambda line: line.key)[:MAX_LINES], counts, same)


def other_version(version: ArtifactVersion, number: int | None) -> ArtifactVersion | None:
    """The version of the same artifact to compare with: ``number``, or the next older one that is not deleted, or the
    first; None if there is no other. Raises VersionNotFound.
    """
    others = ArtifactVersion.objects.filter(artifact=version.artifact_id)
    if number is not None:
        chosen = others.filter(number=number).first()
        if chosen is None:
            raise VersionNotFound(f"Version not found: {version.artifact.name}:v{number}")
        return chosen
    kept = others.filter(deleted_at=None).exclude(pk=version.pk)
    return kept.filter(number__lt=version.number).order_by("-number").first() or kept.order_by("number").first()


def _files(version: ArtifactVersion) -> QuerySet[ArtifactFile]:
    return ArtifactFile.objects.filter(artifact=version.artifact_id, number=version.number).order_by("path")


def _leaves(value: object, before: str = "") -> Iterator[tuple[str, str]]:
    """Each key of a JSON object with its value as JSON."""
    if isinstance(value, Mapping) and (value or not before):
        for key, child in value.items():
            yield from _leaves(child, f"{before}.{key}" if before else str(key))
    else:
        yield before, encode_json(value)


def _shortened(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_VALUE_CHARS else text[:MAX_VALUE_CHARS] + "…"
