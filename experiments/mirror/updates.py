"""What a look at one run directory found, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.mirror.events import EventBatch, EventsState, read_events
from experiments.mirror.marks import BY_PEOPLE, is_events_file, newest_change, parse_marks, read_marks
from runicorn.errors import OutsideRoot, StorageDamaged
from runicorn.storage.layout import RunStatus
from runicorn.storage.run_documents import RunDocuments, read_run_documents


@dataclass
class RunState:
    """What the mirror remembers of a run between two looks. key: Run.pk."""

    key: int
    marks: str
    status: str
    record_count: int
    events: dict[str, EventsState] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    #: Metric and mode of a best value that the run has not written yet: its points tell it.
    best: tuple[str, str] | None = None
    hot_until: float = 0.0
    #: Part of an events file was not read yet.
    behind: bool = False


@dataclass
class RunUpdate:
    """documents: None if none changed. problems: all of this run's, by path relative to the root."""

    path: str
    marks: str
    documents: RunDocuments | None
    updated_at: float
    events: dict[str, EventsState]
    batch: EventBatch | None
    behind: bool
    problems: dict[str, str]
    removed: bool = False
    #: Whether the run itself changed something, and not only people.
    is_sign_of_life: bool = True


def removal(path: str) -> RunUpdate:
    return RunUpdate(path, "", None, 0.0, {}, None, behind=False, problems={}, removed=True)


def look_at_run(
    root: Path, path: str, known: RunState | None, *, older_curation: Mapping[str, Any]
) -> RunUpdate | None:
    """Compare a run directory with what is known of it; None if nothing changed.

    At most one batch of one events file is read; ``behind`` says that there is more.
    Raises FileNotFoundError if the directory is gone.
    """
    marks = read_marks(str(root / path))
    if known and marks == known.marks and not known.behind:
        return None
    before, after = parse_marks(known.marks if known else ""), parse_marks(marks)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name) and name != "."}
    documents = None
    if known is None or any(not is_events_file(name) for name in changed):
        run_id = path.rpartition("/")[2]
        entry = older_curation.get(run_id)
        documents = read_run_documents(root, path, older_curation=entry if isinstance(entry, dict) else None)
    status = documents.status.value if documents else known.status if known else ""
    problems = _document_problems(path, documents, known)
    events = dict(known.events) if known else {}
    batch, behind = None, False
    names = sorted((name for name in after if is_events_file(name)), key=lambda name: (name.count("."), name))
    for name in names:
        if batch is not None:
            behind = behind or name in changed or bool(known and known.behind)
            continue
        batch = _read_batch(root, path, name, events, known, status, problems)
        if batch is not None:
            behind = batch.more or batch.restart
    return RunUpdate(
        path,
        marks,
        documents,
        newest_change(marks),
        events,
        batch,
        behind,
        problems,
        is_sign_of_life=known is None or not changed <= BY_PEOPLE,
    )


def _read_batch(
    root: Path,
    path: str,
    name: str,
    events: dict[str, EventsState],
    known: RunState | None,
    status: str,
    problems: dict[str, str],
) -> EventBatch | None:
    """The next batch of one events file, noted in ``events`` and ``problems``; None if there is nothing new in it."""
    before = events.get(name, EventsState())
    problems.pop(f"{path}/{name}", None)
    try:
        batch = read_events(
            root / path,
            name,
            before,
            records_before=known.record_count if known else 0,
            writer_is_done=status != RunStatus.RUNNING.value,
        )
    except FileNotFoundError:
        return None
    except (OutsideRoot, StorageDamaged) as error:
        problems[f"{path}/{name}"] = str(error)
        return None
    if batch.restart:
        events.clear()
        return batch
    events[name] = batch.state
    if problem := batch.state.problem:
        problems[f"{path}/{name}"] = problem
    return batch if batch.axes is not None or batch.media or batch.alerts or batch.more else None


def _document_problems(path: str, documents: RunDocuments | None, known: RunState | None) -> dict[str, str]:
    """Problems of documents as just read, and those of events files as known."""
    if documents is None:
        return dict(known.problems) if known else {}
    kept = {
        place: reason
        for place, reason in (known.problems if known else {}).items()
        if is_events_file(place.rpartition("/")[2])
    }
    return kept | {f"{path}/{name}": reason for name, reason in documents.problems.items()}
