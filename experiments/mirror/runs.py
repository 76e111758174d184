"""Keeping the rows of runs in step with the run directories of a storage root."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from experiments.mirror import merge, write
from experiments.mirror.apply import Applied, RunFollower, apply_updates
from experiments.mirror.events import states_from_json
from experiments.mirror.keys import InternedKeys
from experiments.mirror.marks import looks_unchanged, newest_change
from experiments.mirror.updates import RunState, RunUpdate, look_at_run, removal
from experiments.mirror.work import Sweep, batches, take
from experiments.models import Change, Problem, Run, StorageRoot
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.discovery import RootTree
from runicorn.storage.run_documents import read_older_curation

#: Records written in one transaction, but for the last run's.
BATCH_RECORDS = 65_536
#: A run that changed is looked at every tick for this long; one that runs may log once an epoch.
HOT_S = 60.0
RUNNING_HOT_S = 3600.0
#: Blocks of a run that has ended are merged when nothing was added for this long.
QUIET_S = 5.0
#: Time a tick may spend on a backlog (first index, a big file) before live runs get their turn again.
BACKLOG_S = 0.4
#: Time a tick spends on runs that nothing points at, to find what was changed by hand.
SWEEP_S = 0.02


@dataclass
class _RootState:
    """What is remembered of one root between ticks."""

    tree: RootTree
    runs: dict[str, RunState]
    #: Runs to look at, oldest first.
    backlog: dict[str, None] = field(default_factory=dict)
    sweep: Sweep[str] = field(default_factory=Sweep)
    #: Runs that may have blocks to merge, and from when on (Unix seconds).
    to_merge: dict[str, float] = field(default_factory=dict)
    #: The root's own problems as written, and as found outside the tree.
    problems: dict[str, str] = field(default_factory=dict)
    problems_found: dict[str, str] = field(default_factory=dict)
    duplicates: dict[str, str] = field(default_factory=dict)
    tree_changed: bool = True
    first_scan: bool = True
    older_curation: dict[str, Any] = field(default_factory=dict)
    older_curation_mark: float = -1.0


class RunsMirror:
    """``scan`` looks (files only), ``apply`` writes (one short transaction); the loop alternates them.

    Rows are rebuilt from the directories; nothing here writes into a directory.
    """

    def __init__(self, followers: Sequence[RunFollower] = ()) -> None:
        """followers: what other apps keep of runs."""
        self._roots: dict[int, _RootState] = {}
        self._keys = InternedKeys()
        self._followers = followers

    def scan(self, root: StorageRoot, *, now: float) -> Iterator[list[RunUpdate]]:
        """Batches of what changed since the last scan. Each is to be applied before the next is asked for.

        now: Unix seconds. ``is_behind`` says whether work that is not live was left.
        """
        state = self._state(root)
        self._read_older_curation(state)
        gone = self._follow_tree(state, now)
        if not state.tree.is_reachable:
            return
        yield from _batches(removal(path) for path in gone)
        hot = [path for path, run in state.runs.items() if run.hot_until > now]
        yield from self._looks(state, hot, now)
        yield from self._looks(state, take(state.backlog, BACKLOG_S), now)
        yield from self._looks(state, state.sweep.take(state.runs, SWEEP_S), now)

    def is_behind(self, root: StorageRoot) -> bool:
        """Whether the last scan left work for the next."""
        state = self._state(root)
        return bool(state.backlog) or any(run.behind for run in state.runs.values())

    def is_live(self, root: StorageRoot, *, now: float) -> bool:
        """Whether a run is training, or changed lately: then the next look is due soon. now: Unix seconds."""
        return any(run.hot_until > now for run in self._state(root).runs.values())

    def apply(self, root: StorageRoot, updates: list[RunUpdate], *, now: float) -> None:
        """Write one batch of ``scan`` and remember it."""
        state = self._state(root)
        applied: Applied = apply_updates(root.pk, updates, state.runs, self._keys, followers=self._followers, now=now)
        for path in applied.removed:
            del state.runs[path]
            state.backlog[path] = None  # once more, should it be back by now
        for path, run in applied.states.items():
            run.hot_until = _hot_until(run, now, is_new=path not in state.runs)
            if run.behind:
                state.backlog[path] = None
            state.runs[path] = run
        for update in updates:
            if update.path in state.runs and _has_blocks(update, state.runs[update.path]):
                has_records = update.batch is not None and update.batch.axes is not None
                # an ended run that still grows is being copied: not every piece of it is worth a merge
                state.to_merge[update.path] = now + QUIET_S if has_records and update.documents is None else now

    def tidy(self, root: StorageRoot, *, now: float) -> Iterator[None]:
        """Merge blocks and keep the root's own problems, one transaction a step."""
        state = self._state(root)
        for path, due_at in list(state.to_merge.items()):
            run = state.runs.get(path)
            has_ended = run is not None and run.status != "running"
            if has_ended and due_at > now:
                continue
            while run and not run.behind and merge.merge_blocks(run.key, run_has_ended=has_ended):
                yield
            state.to_merge.pop(path, None)
        if state.tree_changed:
            state.duplicates = _duplicates(state.runs)
            state.tree_changed = False
        if state.tree.problems | state.duplicates | state.problems_found != state.problems:
            self._write_root_problems(root, state, now)
            yield

    def forget(self) -> None:
        """Drop what is remembered, as at a restart."""
        self._roots.clear()
        self._keys = InternedKeys()

    def state_of(self, root: StorageRoot) -> dict[str, RunState]:
        """What is remembered of each run, by path."""
        return self._state(root).runs

    def _state(self, root: StorageRoot) -> _RootState:
        state = self._roots.get(root.pk)
        if state is None or state.tree.root != Path(root.path):
            state = self._roots[root.pk] = _RootState(RootTree(Path(root.path)), _load_runs(root))
            state.problems = dict(_own_problems(root).values_list("path", "reason"))
        return state

    def _follow_tree(self, state: _RootState, now: float) -> set[str]:
        """Bring the folders up to date and note which runs to look at: new ones, and those whose stats moved.

        Returns the runs that are gone.
        """
        first = state.first_scan
        change = state.tree.refresh(now=now)
        state.tree_changed = state.tree_changed or bool(change.added or change.gone)
        for path in sorted(change.added | change.touched, reverse=True):  # newest first: run ids begin with the date
            known = state.runs.get(path)
            try:
                if known is None or not looks_unchanged(str(state.tree.root / path), known.marks):
                    state.backlog[path] = None
            except OSError:
                state.backlog[path] = None
        if first and state.tree.is_reachable:
            state.first_scan = False
            return state.runs.keys() - state.tree.runs  # removed while nobody looked
        return change.gone & state.runs.keys()

    def _looks(self, state: _RootState, paths: Iterable[str], now: float) -> Iterator[list[RunUpdate]]:
        return _batches(update for path in paths if (update := self._look(state, path)))

    def _look(self, state: _RootState, path: str) -> RunUpdate | None:
        known = state.runs.get(path)
        try:
            return look_at_run(state.tree.root, path, known, older_curation=state.older_curation)
        except FileNotFoundError:
            # else the disk is away, or the folder went too
            is_gone = known is not None and (state.tree.root / path).parent.is_dir()
            return removal(path) if is_gone else None
        except OSError as error:
            state.problems_found[path] = f"The run directory cannot be read: {error.strerror}."
            return None

    def _read_older_curation(self, state: _RootState) -> None:
        """Tags of 0.4 lie in one file of the root: when it changes, every run may have changed."""
        file = state.tree.root / layout.ROOT_METADATA
        try:
            mark = os.stat(file).st_mtime
        except OSError:
            mark = -1.0
        if mark == state.older_curation_mark:
            return
        first = state.older_curation_mark < 0 and not state.runs
        state.older_curation_mark = mark
        try:
            state.older_curation = read_older_curation(state.tree.root)
            state.problems_found.pop(layout.ROOT_METADATA, None)
        except UnreadableDocument as error:
            state.problems_found[layout.ROOT_METADATA] = str(error)
        if not first:
            for run in state.runs.values():
                run.marks = ""
            state.backlog.update(dict.fromkeys(state.runs))

    def _write_root_problems(self, root: StorageRoot, state: _RootState, now: float) -> None:
        problems = state.tree.problems | state.duplicates | state.problems_found
        _own_problems(root).exclude(path__in=problems).delete()
        write.write_problems([(root.pk, None, path, reason, now) for path, reason in problems.items()])
        write.add_changes([write.ChangeRow(Change.Kind.PROBLEMS.value, now)])
        state.problems = problems


def _own_problems(root: StorageRoot) -> QuerySet[Problem]:
    """Those of folders and files that belong to no run."""
    return Problem.objects.filter(root=root, run=None, area=Problem.RUNS)


def _has_blocks(update: RunUpdate, run: RunState) -> bool:
    """Whether this update left the run with several blocks, or ended it: then some may be due to become one."""
    new_records = len(update.batch.axes) if update.batch and update.batch.axes else 0
    has_ended = update.documents is not None and run.status != "running"
    return run.record_count > new_records and (new_records > 0 or has_ended)


def _hot_until(run: RunState, now: float, *, is_new: bool) -> float:
    if run.status == "running":
        return (newest_change(run.marks) if is_new else now) + RUNNING_HOT_S
    return 0.0 if is_new else now + HOT_S


def _load_runs(root: StorageRoot) -> dict[str, RunState]:
    """What an earlier mirror process knew, from the rows."""
    problems: dict[int, dict[str, str]] = {}
    for run, path, reason in (
        Problem.objects.filter(root=root).exclude(run=None).values_list("run_id", "path", "reason")
    ):
        problems.setdefault(run, {})[path] = reason
    rows = Run.objects.filter(root=root).values_list(
        "path", "pk", "detail__file_marks", "status", "record_count", Cast("detail__event_offsets", TextField())
    )
    states = {
        path: RunState(
            key, marks or "", status, count, states_from_json(orjson.loads(offsets or "{}")), problems.get(key, {})
        )
        for path, key, marks, status, count, offsets in rows.iterator()
    }
    for state in states.values():
        if state.status == "running":
            state.hot_until = newest_change(state.marks) + RUNNING_HOT_S
    # those of running runs only: when a run ends, its documents are read again
    running = Run.objects.filter(
        root=root, status=Run.Status.RUNNING, best_metric_name__isnull=False, best_metric_mode__isnull=False
    )
    for path, name, mode, summary in running.values_list(
        "path", "best_metric_name", "best_metric_mode", "detail__summary"
    ):
        if "best_metric_value" not in (summary or {}):
            states[path].best = (str(name), str(mode))
    return states


def _duplicates(paths: Iterable[str]) -> dict[str, str]:
    """Problems of run ids that more than one directory of the root has."""
    by_id = Counter(path.rpartition("/")[2] for path in paths)
    repeated = {run_id for run_id, count in by_id.items() if count > 1}
    same: dict[str, list[str]] = {}
    for path in sorted(path for path in paths if path.rpartition("/")[2] in repeated):
        same.setdefault(path.rpartition("/")[2], []).append(path)
    return {
        path: f"Has the same run id as {others[0]}. Both can be opened; rename one directory to tell them apart."
        for others in same.values()
        for path in others[1:]
    }


def _batches(updates: Iterable[RunUpdate]) -> Iterator[list[RunUpdate]]:
    return batches(updates, weight=_records, most=BATCH_RECORDS)


def _records(update: RunUpdate) -> int:
    return len(update.batch.axes) if update.batch and update.batch.axes else 0
