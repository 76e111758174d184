"""How the mirror tells by one listing of a run directory whether anything it reads has changed.

Marks are a text of one line a file: ``name<TAB>mtime in ns<TAB>size<TAB>inode``, sorted by name; the first line is the
directory itself (``.``), whose mtime every atomic replacement moves.
"""

from __future__ import annotations

import os
from pathlib import Path

from runicorn.storage import layout

#: logs.txt and heartbeat.json are not here: they change all the time and say nothing that a row holds.
DOCUMENTS = frozenset(
    {
        layout.META,
        layout.STATUS,
        layout.SUMMARY,
        layout.CONFIG,
        layout.ENVIRONMENT,
        layout.CURATION,
        layout.ASSETS,
        layout.ARTIFACTS_CREATED,
        layout.ARTIFACTS_USED,
        layout.DELETED,
    }
)


#: Written by people through the viewer, never by the run.
BY_PEOPLE = frozenset({layout.CURATION, layout.DELETED})


def read_marks(run_dir: str) -> str:
    """The marks of a run directory. Raises OSError if it cannot be listed."""
    lines = [f".\t{os.stat(run_dir).st_mtime_ns}"]
    with os.scandir(run_dir) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name in DOCUMENTS or is_events_file(entry.name):
                lines.append(_mark(entry.name, entry.stat(follow_symlinks=False)))
    return "\n".join(lines)


def is_events_file(name: str) -> bool:
    return name.startswith("events") and layout.EVENTS_PATTERN.match(name) is not None


def looks_unchanged(run_dir: str, marks: str) -> bool:
    """Two stats instead of a listing: the directory, and the events file, which grows without touching the directory.

    A document edited in place keeps both; the rolling sweep finds that. Raises OSError if the directory is gone.
    """
    if not marks.startswith(f".\t{os.stat(run_dir).st_mtime_ns}\n"):
        return False
    try:
        return _mark(layout.EVENTS, os.lstat(os.path.join(run_dir, layout.EVENTS))) in marks
    except FileNotFoundError:
        return f"\n{layout.EVENTS}\t" not in marks


def parse_marks(marks: str) -> dict[str, tuple[int, ...]]:
    """By name: (mtime in ns, size, inode), for the directory (mtime in ns,)."""
    rows = (line.split("\t") for line in marks.split("\n") if line)
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


def document_marks(run_dir: Path) -> dict[str, tuple[int, ...]]:
    """The marks of the documents alone: events grow all the time. Raises OSError if the directory cannot be listed."""
    return {name: numbers for name, numbers in parse_marks(read_marks(str(run_dir))).items() if name in DOCUMENTS}


def newest_change(marks: str) -> float:
    """When a file of the run last changed, Unix seconds; 0 if there is none."""
    return max((numbers[0] for name, numbers in parse_marks(marks).items() if name != "."), default=0) / 1e9


def last_written_by_run(run_dir: Path) -> float:
    """When the run itself last wrote something: what people change in its directory is no sign of its life.

    Unix seconds. Raises OSError if the directory cannot be listed.
    """
    marks = parse_marks(read_marks(str(run_dir)))
    return max((numbers[0] for name, numbers in marks.items() if name not in {".", *BY_PEOPLE}), default=0) / 1e9


def _mark(name: str, status: os.stat_result) -> str:
    return f"{name}\t{status.st_mtime_ns}\t{status.st_size}\t{status.st_ino}"
