"""Writing what was found: all of one batch in one short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from django.db import router, transaction

from experiments.metrics.block_format import Column
from experiments.mirror import write
from experiments.mirror.events import states_to_json
from experiments.mirror.keys import InternedKeys
from experiments.mirror.series import SeriesFigures, figures_of, merge_figures
from experiments.mirror.updates import RunState, RunUpdate
from experiments.mirror.values import replace_values
from experiments.models import Alert, Change, Media, MetricBlock, MetricSeries, Problem, Run
from runicorn.storage import layout
from runicorn.storage.run_documents import RunDocuments

#: More names than this in one run are a mistake (a step or a file name in the metric's name).
MAX_KEYS_PER_RUN = 20_000


#: Nobody reads more; a run with so many alerts people at every step.
MAX_ALERTS_PER_RUN = 5_000


class RunFollower(Protocol):
    """What another app keeps of runs, written in the transaction that writes what their documents say.

    Rows of a run that is removed go by their foreign key.
    """

    def __call__(self, runs: Sequence[FollowedRun], /) -> None: ...


class FollowedRun(NamedTuple):
    """A run whose documents were read. is_new: no follower was told of it before. key: Run.pk."""

    root_key: int
    key: int
    documents: RunDocuments
    is_new: bool


@dataclass
class Applied:
    """What was written: the state to remember of each run, and the runs that are gone."""

    states: dict[str, RunState] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


def apply_updates(
    root_key: int,
    updates: Sequence[RunUpdate],
    known: dict[str, RunState],
    keys: InternedKeys,
    *,
    followers: Sequence[RunFollower],
    now: float,
) -> Applied:
    """Write one batch. Nothing in ``known`` changes: if the transaction fails, the next look finds the same again.

    updates: at most one a run. known: RunState by path. now: Unix seconds, for the change feed.
    """
    with transaction.atomic(using=router.db_for_write(Run)):
        batch = _Batch(root_key, updates, known, keys, now)
        applied = batch.write()
        for follow in followers:
            follow(batch.followed_runs())
        write.add_changes(batch.changes)
        return applied


class _Batch:
    """One transaction's work, in the order in which it must happen."""

    def __init__(
        self, root_key: int, updates: Sequence[RunUpdate], known: dict[str, RunState], keys: InternedKeys, now: float
    ) -> None:
        self.root_key, self.known, self.keys, self.now = root_key, known, keys, now
        self.updates = [update for update in updates if not update.removed]
        self.removed = [update.path for update in updates if update.removed and update.path in known]
        self.changes: list[write.ChangeRow] = []
        self.pks: dict[str, int] = {}

    def write(self) -> Applied:
        self._leave_out_vanished_runs()
        self._remove_runs()
        self._write_documents()
        states = {update.path: self._state(update) for update in self.updates}
        self._restart(states)
        self._write_points(states)
        self._write_media(states)
        self._write_alerts(states)
        self._write_best(states)
        write.write_marks(
            [(update.marks, states_to_json(update.events), states[update.path].key) for update in self.updates]
        )
        self._write_problems(states)
        return Applied(states, self.removed)

    def followed_runs(self) -> list[FollowedRun]:
        return [
            FollowedRun(self.root_key, self.pks[u.path], u.documents, is_new=u.path not in self.known)
            for u in self.updates
            if u.documents
        ]

    def _leave_out_vanished_runs(self) -> None:
        """A run that was purged after it was looked at has no row any more, and gets none again."""
        paths = [*self.removed, *(update.path for update in self.updates if update.path in self.known)]
        left = write.held([self.known[path].key for path in paths])
        vanished = {path for path in paths if self.known[path].key not in left}.difference(self.removed)
        if vanished:
            self.updates = [update for update in self.updates if update.path not in vanished]
            self.removed += sorted(vanished)

    def _remove_runs(self) -> None:
        if self.removed:
            Run.objects.filter(pk__in=[self.known[path].key for path in self.removed]).delete()
            self.changes += [
                write.ChangeRow(Change.Kind.REMOVED.value, self.now, self.known[path].key, _run_id(path))
                for path in self.removed
            ]

    def _write_documents(self) -> None:
        changed = [update for update in self.updates if update.documents is not None]
        for by_run in (True, False):
            rows = [
                write.run_row(self.root_key, u.path, u.documents, u.updated_at)
                for u in changed
                if u.documents and u.is_sign_of_life == by_run
            ]
            write.write_runs(rows, are_signs_of_life=by_run)
        self.pks = {u.path: self.known[u.path].key for u in self.updates if u.path in self.known}
        new = [update.path for update in self.updates if update.path not in self.pks]
        self.pks.update(Run.objects.filter(root_id=self.root_key, path__in=new).values_list("path", "pk"))
        documents = [(self.pks[u.path], u.documents) for u in changed if u.documents]
        write.write_details(documents)
        replace_values(documents, self.keys, known=[self.pks[u.path] for u in changed if u.path in self.known])
        # a new run without tags has no tag rows to replace
        write.replace_tags(
            [
                (self.pks[u.path], u.documents.tags)
                for u in changed
                if u.documents and (u.documents.tags or u.path in self.known)
            ]
        )
        self.changes += [
            write.ChangeRow(Change.Kind.RUN.value, self.now, self.pks[u.path], _run_id(u.path)) for u in changed
        ]

    def _state(self, update: RunUpdate) -> RunState:
        before = self.known.get(update.path)
        state = RunState(
            key=self.pks[update.path],
            marks=update.marks,
            status=before.status if before else "",
            record_count=before.record_count if before else 0,
            events=update.events,
            problems=update.problems,
            best=before.best if before else None,
            behind=update.behind,
        )
        if documents := update.documents:
            state.status = documents.status.value
            best = (documents.best_metric_name, documents.best_metric_mode)
            state.best = best if best[0] and best[1] and documents.best_metric_value is None else None  # type: ignore[assignment]
        return state

    def _restart(self, states: dict[str, RunState]) -> None:
        """Events were cut or replaced: what was ingested of these runs goes, and they are read again from the start."""
        runs = [states[update.path].key for update in self.updates if update.batch and update.batch.restart]
        if runs:
            MetricBlock.objects.filter(run_id__in=runs).delete()
            MetricSeries.objects.filter(run_id__in=runs).delete()
            Media.objects.filter(run_id__in=runs).delete()
            Alert.objects.filter(run_id__in=runs).delete()
            Run.objects.filter(pk__in=runs).update(record_count=0)
            for state in states.values():
                if state.key in runs:
                    state.record_count = 0

    def _write_points(self, states: dict[str, RunState]) -> None:
        with_points = [
            (update, update.batch) for update in self.updates if update.batch and update.batch.axes is not None
        ]
        if not with_points:
            return
        names = {name for _, batch in with_points for name in batch.columns}
        keys = self.keys.of_metrics(names)
        names_by_key = {key: name for name, key in keys.items()}
        current = self._current_series([states[update.path] for update, _ in with_points])
        series, blocks, progress = [], [], []
        for update, batch in with_points:
            state, axes = states[update.path], batch.axes
            assert axes is not None
            columns = self._allowed_columns(
                update, state, {keys[name]: column for name, column in batch.columns.items()}, current
            )
            figures = figures_of(axes, {names_by_key[key]: column for key, column in columns.items()})
            for name, part in figures.items():
                before = current.get((state.key, keys[name]))
                series.append((state.key, keys[name], merge_figures([before, part]) if before else part))
            blocks.append((state.key, state.record_count, axes, columns))
            state.record_count += len(axes)
            progress.append((state.record_count, update.updated_at, state.key))
            kind, run_id = Change.Kind.POINTS.value, _run_id(update.path)
            self.changes.append(write.ChangeRow(kind, self.now, state.key, run_id, state.record_count))
        write.add_blocks(blocks)
        write.write_series(series)
        write.write_progress(progress)

    def _current_series(self, states: Sequence[RunState]) -> dict[tuple[int, int], SeriesFigures]:
        """The figures so far of runs that have points already."""
        runs = [state.key for state in states if state.record_count]
        fields = list(SeriesFigures.__dataclass_fields__)
        rows = MetricSeries.objects.filter(run_id__in=runs).values_list("run_id", "key_id", *fields) if runs else ()
        return {(run, key): SeriesFigures(*values) for run, key, *values in rows}

    def _allowed_columns(
        self,
        update: RunUpdate,
        state: RunState,
        columns: dict[int, Column],
        current: dict[tuple[int, int], SeriesFigures],
    ) -> dict[int, Column]:
        """The columns, without new names beyond MAX_KEYS_PER_RUN; the run gets a problem that says so."""
        known = {key for run, key in current if run == state.key}
        if len(known | columns.keys()) <= MAX_KEYS_PER_RUN:
            return columns
        allowed = known | set(sorted(columns.keys() - known)[: max(0, MAX_KEYS_PER_RUN - len(known))])
        update.problems[f"{update.path}/{layout.EVENTS}"] = (
            f"More than {MAX_KEYS_PER_RUN} metric names; further ones are left out. "
            "Log what varies as a step or a value, not as a name."
        )
        return {key: column for key, column in columns.items() if key in allowed}

    def _write_media(self, states: dict[str, RunState]) -> None:
        for update in self.updates:
            if update.batch and update.batch.media:
                key = states[update.path].key
                write.add_media([(key, item) for item in update.batch.media])
                self.changes.append(write.ChangeRow(Change.Kind.MEDIA.value, self.now, key, _run_id(update.path)))

    def _write_alerts(self, states: dict[str, RunState]) -> None:
        for update in self.updates:
            if not (update.batch and update.batch.alerts):
                continue
            key = states[update.path].key
            room = MAX_ALERTS_PER_RUN - Alert.objects.filter(run_id=key).count()
            if len(update.batch.alerts) > room:
                update.problems[f"{update.path}/{layout.EVENTS}"] = (
                    f"More than {MAX_ALERTS_PER_RUN} alerts; further ones are left out. "
                    "Alert people when something begins, and not at every step."
                )
            write.add_alerts([(key, alert) for alert in update.batch.alerts[: max(0, room)]])
            self.changes.append(write.ChangeRow(Change.Kind.ALERTS.value, self.now, key, _run_id(update.path)))

    def _write_best(self, states: dict[str, RunState]) -> None:
        """The best value so far of runs that name a primary metric and have not written it (yet)."""
        wanted = {state.key: state.best for state in states.values() if state.best}
        if not wanted:
            return
        names = {name for name, _ in wanted.values()}
        rows = MetricSeries.objects.filter(run_id__in=wanted, key__name__in=names).values_list(
            "run_id", "key__name", "min_value", "min_step", "max_value", "max_step"
        )
        best = []
        for run, name, min_value, min_step, max_value, max_step in rows:
            if wanted[run][0] == name:
                best.append((max_value, max_step, run) if wanted[run][1] == "max" else (min_value, min_step, run))
        write.write_best(best)

    def _write_problems(self, states: dict[str, RunState]) -> None:
        changed = []
        for update in self.updates:
            before = self.known[update.path].problems if update.path in self.known else {}
            if update.problems != before:
                changed.append(update)
                if gone := before.keys() - update.problems.keys():
                    Problem.objects.filter(root_id=self.root_key, path__in=gone).delete()
        if changed:
            rows = [
                (self.root_key, states[u.path].key, path, reason, self.now)
                for u in changed
                for path, reason in u.problems.items()
            ]
            write.write_problems(rows)
            self.changes += [
                write.ChangeRow(Change.Kind.PROBLEMS.value, self.now, states[u.path].key, _run_id(u.path))
                for u in changed
            ]


def _run_id(path: str) -> str:
    return path.rpartition("/")[2]
