"""What people record about versions: aliases, descriptions, tags, lifecycle stages. Into the files, under the lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runicorn.artifacts.documents import locked, read_index, write_index
from runicorn.artifacts.models import ArtifactIndex, ArtifactMetadata
from runicorn.artifacts.names import LATEST, check_alias
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import AliasNotFound, Conflict, InvalidInput, UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.curation import TAGS_MAX, check_tag
from runicorn.storage.digests import Digest, digest_of
from runicorn.storage.documents import read_document, write_document

DESCRIPTION_MAX_CHARS = 20_000
#: The stage of a version that nobody moved.
DEFAULT_STAGE = "experimental"
PRODUCTION = "production"
#: Where a version may go from each stage.
STAGE_MOVES: Mapping[str, tuple[str, ...]] = {
    "experimental": ("staging", "archived"),
    "staging": ("production", "experimental", "archived"),
    "production": ("staging", "archived"),
    "archived": ("experimental",),
}


@dataclass(frozen=True)
class VersionEdit:
    """What one person changes of a version; None leaves it as it is. set_tags replaces all, then add, then remove.

    description_seen: text_mark of the description that the person had before them; another one is not overwritten.
    """

    description: str | None = None
    description_seen: str | None = None
    set_tags: Sequence[str] | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()


@dataclass(frozen=True)
class StageMove:
    """A move of one version. notes, evaluator_run_id: as the person gave them."""

    to_stage: str
    notes: str | None = None
    evaluator_run_id: str | None = None


def set_alias(place: ArtifactPlace, version: int, alias: str, *, at: float) -> bool:
    """Make ``alias`` name that version, and no other; False if it does already. at: Unix seconds.

    Raises InvalidName for an alias that cannot be, ArtifactNotFound, VersionNotFound, Conflict, StorageDamaged.
    """
    check_alias(alias)
    place.version_folder(version)
    with locked(place):
        index = read_index(place)
        if index.aliases.get(alias) == version:
            return False
        _write_aliases(place, index, index.aliases | {alias: version}, at=at)
    return True


def remove_alias(place: ArtifactPlace, alias: str, *, at: float, version: int | None = None) -> int:
    """Take an alias away; returns the version it named. version: the only one it is taken from.

    Raises AliasNotFound, InvalidInput for ``latest``, Conflict (also for an alias of another version), StorageDamaged.
    """
    if alias == LATEST:
        raise InvalidInput(f"The alias {LATEST!r} always names the newest version; it cannot be removed.")
    with locked(place):
        index = read_index(place)
        if alias not in index.aliases:
            raise AliasNotFound(f"{place.name} has no alias {alias!r}.")
        if version is not None and index.aliases[alias] != version:
            raise Conflict(f"The alias {alias!r} names v{index.aliases[alias]} by now; it was left there.")
        _write_aliases(place, index, _without(index.aliases, alias), at=at)
    return index.aliases[alias]


def edit_version(place: ArtifactPlace, version: int, edit: VersionEdit, *, at: float) -> ArtifactMetadata:
    """Change description or tags in a version's metadata.json; keys that are not ours stay as they are.

    Raises InvalidInput for a text or tag that is refused, ArtifactNotFound, VersionNotFound, UnreadableDocument (the
    broken file is left as it is), Conflict (also for a description that is not the one seen), StorageDamaged.
    """
    if edit.description is not None and len(edit.description) > DESCRIPTION_MAX_CHARS:
        raise InvalidInput(
            f"The description has {len(edit.description)} characters; at most {DESCRIPTION_MAX_CHARS} are kept."
        )
    folder = place.version_folder(version)
    with locked(place):
        metadata = _read(folder)
        if edit.description_seen not in (None, text_mark(metadata.description)):
            raise Conflict(f"Somebody else has changed the description of {place.name}:v{version}; nothing was saved.")
        changed = replace(
            metadata,
            description=metadata.description if edit.description is None else edit.description.strip(),
            tags=_tags(metadata.tags, edit),
        )
        if changed != metadata:
            _write(place, version, folder, replace(changed, updated_at=at))
    return changed


def move_stage(place: ArtifactPlace, version: int, move: StageMove, *, at: float) -> str:
    """Move a version to another lifecycle stage; returns the stage it had.

    Entering ``production`` moves the alias of that name to the version; leaving it takes the alias away.
    Raises InvalidInput for an unknown stage or a move that is not allowed; else as edit_version.
    """
    if move.to_stage not in STAGE_MOVES:
        raise InvalidInput(f"Invalid target stage: {move.to_stage}. Must be one of {', '.join(STAGE_MOVES)}")
    folder = place.version_folder(version)
    with locked(place):
        metadata = _read(folder)
        stage = stage_of(metadata)
        if move.to_stage not in STAGE_MOVES[stage]:
            raise InvalidInput(f"Invalid transition from {stage} to {move.to_stage}")
        transition = {
            "from_stage": stage,
            "to_stage": move.to_stage,
            "timestamp": at,
            "notes": move.notes,
            "evaluator_run_id": move.evaluator_run_id,
        }
        extra = metadata.extra | {
            "lifecycle_updated_at": at,
            "stage_transitions": [*list_of(metadata.extra.get("stage_transitions")), transition],
        }
        # the alias first: whatever interrupts this, the same call can be made again
        index = read_index(place)
        if move.to_stage == PRODUCTION:
            _write_aliases(place, index, index.aliases | {PRODUCTION: version}, at=at)
        elif stage == PRODUCTION and index.aliases.get(PRODUCTION) == version:
            _write_aliases(place, index, _without(index.aliases, PRODUCTION), at=at)
        _write(place, version, folder, replace(metadata, lifecycle_stage=move.to_stage, updated_at=at, extra=extra))
    return stage


def add_to_metadata(place: ArtifactPlace, version: int, key: str, entry: Mapping[str, Any], *, keep: int) -> None:
    """Append ``entry`` to a list among the version's other keys, of which the newest ``keep`` stay.

    Raises as edit_version.
    """
    folder = place.version_folder(version)
    with locked(place):
        metadata = _read(folder)
        entries = [*list_of(metadata.extra.get(key)), dict(entry)][-keep:]
        _write(place, version, folder, replace(metadata, extra=metadata.extra | {key: entries}))


def stage_of(metadata: ArtifactMetadata) -> str:
    """The version's lifecycle stage; a word that is none of ours counts as the first."""
    stage = metadata.lifecycle_stage
    return stage if stage is not None and stage in STAGE_MOVES else DEFAULT_STAGE


def text_mark(text: str) -> Digest:
    """What tells one description from another, however its lines end: forms send every end as CRLF."""
    return digest_of("\n".join(text.strip().splitlines()).encode("utf-8", "surrogatepass"))


def list_of(value: object) -> list[Any]:
    """A document's list, or none if it is something else."""
    return list(value) if isinstance(value, list) else []


def _read(folder: Path) -> ArtifactMetadata:
    try:
        return ArtifactMetadata.from_dict(read_document(folder, layout.VERSION_METADATA) or {})
    except UnreadableDocument as error:
        raise UnreadableDocument(f"{error} Nothing was changed; mend that file first.") from error


def _write(place: ArtifactPlace, version: int, folder: Path, metadata: ArtifactMetadata) -> None:
    aliases = read_index(place).aliases
    names = tuple(sorted(alias for alias, target in aliases.items() if target == version))
    write_document(folder / layout.VERSION_METADATA, replace(metadata, aliases=names).to_dict())
    place.touch()


def _write_aliases(place: ArtifactPlace, index: ArtifactIndex, aliases: dict[str, int], *, at: float) -> None:
    infos = [
        replace(info, aliases=tuple(sorted(alias for alias, target in aliases.items() if target == info.version)))
        for info in index.versions
    ]
    write_index(place, replace(index, aliases=aliases, versions=tuple(infos)), at=at)


def _without(aliases: Mapping[str, int], alias: str) -> dict[str, int]:
    return {other: version for other, version in aliases.items() if other != alias}


def _tags(before: Sequence[str], edit: VersionEdit) -> tuple[str, ...]:
    kept = before if edit.set_tags is None else [tag.strip() for tag in edit.set_tags]
    wanted = dict.fromkeys([*kept, *(tag.strip() for tag in edit.add_tags)])
    removed = {tag.strip() for tag in edit.remove_tags}
    tags = tuple(tag for tag in wanted if tag not in removed)
    for tag in tags:
        if tag not in before:
            check_tag(tag)
    if len(tags) > max(TAGS_MAX, len(before)):
        raise InvalidInput(f"The version would have {len(tags)} tags; at most {TAGS_MAX} are kept.")
    return tags
