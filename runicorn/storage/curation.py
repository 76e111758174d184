"""curation.json: what people add to a run: tags, texts, a name, a colour, archived, pinned. The truth for those.

Keys, locking and what a crash leaves: docs/design/0012-curation.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runicorn.errors import Conflict, InvalidInput, RunNotFound, StorageDamaged, UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document, touch_runs_folder, write_document
from runicorn.storage.file_lock import file_lock
from runicorn.storage.run_colors import COLORS
from runicorn.storage.run_documents import read_older_curation, tags_of
from runicorn.storage.values import text

LOCK = "curation.lock"
#: How long a change waits for one by somebody else.
LOCK_TIMEOUT_S = 5.0

TAG_MAX_CHARS = 100
TAGS_MAX = 100
#: Most characters of a text. A name and a description stand in lists; notes are a page.
MAX_CHARS = {"display_name": 200, "description": 2_000, "notes": 200_000}
_SWITCHES = ("archived", "pinned")
#: What 0.4 kept in the root's file.
_OLDER_KEYS = ("tags", "description", *_SWITCHES)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Edit:
    """What one person changes of a run; None leaves a field as it is, an empty text clears it.

    set_tags replaces all tags; add_tags come behind those that are there; remove_tags go last.
    """

    set_tags: Sequence[str] | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    description: str | None = None
    display_name: str | None = None
    notes: str | None = None
    archived: bool | None = None
    pinned: bool | None = None
    color: str | None = None


def change(run_dir: Path, edit: Edit, *, root: Path, by: str | None, at: float) -> bool:
    """Make ``edit`` in the run's curation.json; False if it says so already, and then nothing is written.

    root: the storage root, whose file of 0.4 has the starting values. by: a user's name. at: Unix seconds.
    Everybody else's fields, and keys that we do not know, stay as they are.
    Raises InvalidInput for a tag or text that is refused, Conflict if somebody else held the lock for 5 s, RunNotFound
    if the directory is gone, and StorageDamaged if a file it depends on is broken (it is left as it is) or cannot be
    written.
    """
    _check_texts(edit)
    with _locked(run_dir):
        before = _starting_values(run_dir, root)
        after = _with_tags(before, edit, run_dir, by=by, at=at)
        after = _with_fields(after, edit, run_dir, by=by, at=at)
        if after == before:
            return False
        write_document(run_dir / layout.CURATION, after | {"updated_at": at, "updated_by": by})
    touch_runs_folder(run_dir)
    return True


def is_pinned(run_dir: Path, *, root: Path) -> bool:
    """Whether the files say that the run is pinned. Raises UnreadableDocument if they cannot be read."""
    return _starting_values(run_dir, root).get("pinned") is True


@contextmanager
def _locked(run_dir: Path) -> Iterator[None]:
    try:
        with file_lock(run_dir / LOCK, timeout_s=LOCK_TIMEOUT_S) as held:
            # None: no locks on this file system. Each write is whole there too; of two in one instant one may be lost.
            if held is False:
                raise Conflict(f"Somebody else has been changing {run_dir.name} for {LOCK_TIMEOUT_S:.0f} s; try again.")
            yield
    except FileNotFoundError as error:
        raise RunNotFound(f"{run_dir} is gone.") from error
    except OSError as error:
        raise StorageDamaged(
            f"{error.filename or run_dir} cannot be changed: {error.strerror}. Nothing was changed; "
            "see to it that the viewer may write there."
        ) from error


def _starting_values(run_dir: Path, root: Path) -> dict[str, Any]:
    """What curation.json holds; without one, what the root's file of 0.4 says of this run."""
    try:
        document = read_document(run_dir, layout.CURATION)
        if document:
            return document
        older = read_older_curation(root).get(run_dir.name)
    except UnreadableDocument as error:
        raise UnreadableDocument(f"{error} Nothing was changed; mend that file or move it away.") from error
    return {key: older[key] for key in _OLDER_KEYS if key in older} if isinstance(older, dict) else {}


def _with_tags(document: Mapping[str, Any], edit: Edit, run_dir: Path, *, by: str | None, at: float) -> dict[str, Any]:
    """The document with the tags changed, and a note of each tag that came or went."""
    if edit.set_tags is None and not edit.add_tags and not edit.remove_tags:
        return dict(document)
    before = tags_of(document["tags"] if "tags" in document else _from_meta(run_dir, "tags"))
    removed = set(map(_trimmed, edit.remove_tags))
    kept = before if edit.set_tags is None else edit.set_tags
    wanted = dict.fromkeys(map(_trimmed, [*kept, *edit.add_tags]))
    tags = [tag for tag in wanted if tag not in removed]
    if tags == list(before):
        return dict(document)
    added, gone = [tag for tag in tags if tag not in before], [tag for tag in before if tag not in tags]
    for tag in added:
        check_tag(tag)
    if added and len(tags) > TAGS_MAX:
        raise InvalidInput(f"{run_dir.name} would have {len(tags)} tags; at most {TAGS_MAX} are kept.")
    changes = {tag: {"at": at, "by": by, "removed": tag in gone} for tag in (*added, *gone)}
    return {
        **document,
        "tags": tags,
        "tag_changes": _object(document, "tag_changes") | changes,
        "fields": _object(document, "fields") | {"tags": {"at": at, "by": by}},
    }


def _with_fields(document: dict[str, Any], edit: Edit, run_dir: Path, *, by: str | None, at: float) -> dict[str, Any]:
    """The document with the other fields changed, and a note of each."""
    wanted: dict[str, Any] = {}
    for name in ("display_name", "description", "color"):
        if (value := getattr(edit, name)) is not None and (text(value).strip() or None) != document.get(name):
            wanted[name] = text(value).strip() or None
    for name in _SWITCHES:
        if (value := getattr(edit, name)) is not None and value != (document.get(name) is True):
            wanted[name] = value
    if edit.notes is not None:
        before = document["notes"] if "notes" in document else _from_meta(run_dir, "notes")
        if text(edit.notes) != (before or ""):
            wanted["notes"] = text(edit.notes)
    if not wanted:
        return document
    changes = {name: {"at": at, "by": by} for name in wanted}
    return {**document, **wanted, "fields": _object(document, "fields") | changes}


def _from_meta(run_dir: Path, key: str) -> object:
    """The value that the script gave. Raises UnreadableDocument, so that a broken file's value is not forgotten."""
    try:
        return (read_document(run_dir, layout.META) or {}).get(key)
    except UnreadableDocument as error:
        raise UnreadableDocument(f"{error} The run's first {key} stand there; mend that file first.") from error


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return dict(value) if isinstance(value, dict) else {}


def _trimmed(tag: str) -> str:
    return text(tag).strip()


def check_tag(tag: str) -> None:
    """Raises InvalidInput for a tag that nobody should be able to add. Those that scripts gave stay."""
    if not tag:
        raise InvalidInput("A tag is empty; give it at least one character.")
    if len(tag) > TAG_MAX_CHARS:
        raise InvalidInput(f"The tag {tag[:20]!r}… has {len(tag)} characters; at most {TAG_MAX_CHARS} are kept.")
    if "," in tag or _CONTROL.search(tag):
        raise InvalidInput(f"The tag {tag!r} contains a comma or a control character; commas stand between tags.")


def _check_texts(edit: Edit) -> None:
    for name, limit in MAX_CHARS.items():
        value = getattr(edit, name)
        if value is not None and len(value) > limit:
            words = name.replace("_", " ")
            raise InvalidInput(f"The {words} has {len(value)} characters; at most {limit} are kept.")
    if edit.color and edit.color not in COLORS:
        raise InvalidInput(f"{edit.color[:40]!r} is no colour of runs; they are {', '.join(COLORS)}.")
