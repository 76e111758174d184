"""Keeping the rows of artifacts in step with the folders below ``artifacts/`` of a storage root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import router, transaction

from artifacts.mirror.looks import ROWS_A_PART, ArtifactPart, ArtifactState, VersionState, look_at_artifact
from artifacts.mirror.marks import home_marks, is_settled
from artifacts.mirror.tree import ArtifactKey, ArtifactTree
from artifacts.mirror.write import write_parts
from artifacts.models import Artifact, ArtifactVersion
from experiments.mirror.work import Sweep, batches, take
from experiments.mirror.write import ChangeRow, add_changes, write_problems
from experiments.models import Change, Problem, StorageRoot
from runicorn.storage.discovery import UNSETTLED_S

#: Problems of folders that are no artifact's.
FOLDERS_AREA = "artifact folders"
#: Time a tick may spend on a backlog before live runs get their turn again.
BACKLOG_S = 0.3
#: Time a tick spends on artifacts that nothing points at, to find what was changed by hand.
SWEEP_S = 0.01


@dataclass
class _RootState:
    """What is remembered of one root between ticks."""

    tree: ArtifactTree
    artifacts: dict[ArtifactKey, ArtifactState]
    #: Artifacts to look at, oldest first.
    backlog: dict[ArtifactKey, None] = field(default_factory=dict)
    sweep: Sweep[ArtifactKey] = field(default_factory=Sweep)
    problems: dict[str, str] = field(default_factory=dict)


class ArtifactsMirror:
    """``scan`` looks (files only), ``apply`` writes (one short transaction); the mirror's loop alternates them."""

    def __init__(self) -> None:
        self._roots: dict[int, _RootState] = {}

    def scan(self, root: StorageRoot, *, now: float) -> Iterator[list[ArtifactPart]]:
        """Batches of what changed since the last scan. Each is to be applied before the next is asked for."""
        state = self._state(root)
        self._follow_tree(state, now)
        if not state.tree.is_reachable:
            return
        hot = [key for key, artifact in state.artifacts.items() if artifact.hot_until > now]
        yield from _batches(self._looks(state, hot))
        yield from _batches(self._looks(state, take(state.backlog, BACKLOG_S)))
        yield from _batches(self._looks(state, state.sweep.take(state.artifacts, SWEEP_S)))

    def apply(self, root: StorageRoot, parts: list[ArtifactPart], *, now: float) -> None:
        """Write one batch of ``scan`` and remember it."""
        state = self._state(root)
        keys = write_parts(root, parts, now=now)
        for part in parts:
            if part.key in keys:
                known = state.artifacts.setdefault(part.key, ArtifactState(keys[part.key], marks=""))
                known.key = keys[part.key]
                _remember(known, part, now=now)
            else:
                state.artifacts.pop(part.key, None)

    def tidy(self, root: StorageRoot, *, now: float) -> Iterator[None]:
        """Keep the problems of folders that are no artifact's."""
        state = self._state(root)
        problems = state.tree.problems
        if state.tree.is_reachable and problems != state.problems:
            with transaction.atomic(using=router.db_for_write(Problem)):
                Problem.objects.filter(root=root, area=FOLDERS_AREA).exclude(path__in=problems).delete()
                rows = [(root.pk, None, path, reason, now) for path, reason in problems.items()]
                write_problems(rows, area=FOLDERS_AREA)
                add_changes([ChangeRow(Change.Kind.PROBLEMS.value, now)])
            state.problems = problems
            yield

    def is_behind(self, root: StorageRoot) -> bool:
        """Whether the last scan left work for the next."""
        return bool(self._state(root).backlog)

    def is_live(self, root: StorageRoot, *, now: float) -> bool:
        """Whether an artifact changed just now. now: Unix seconds."""
        return any(artifact.hot_until > now for artifact in self._state(root).artifacts.values())

    def forget(self) -> None:
        """Drop what is remembered, as at a restart."""
        self._roots.clear()

    def _state(self, root: StorageRoot) -> _RootState:
        state = self._roots.get(root.pk)
        if state is None or state.tree.root != Path(root.path):
            state = self._roots[root.pk] = _RootState(ArtifactTree(Path(root.path)), load_states(root))
            state.problems = dict(Problem.objects.filter(root=root, area=FOLDERS_AREA).values_list("path", "reason"))
        return state

    def _follow_tree(self, state: _RootState, now: float) -> None:
        """Note which artifacts to look at: new ones, those that are gone, and those whose folders were touched."""
        changed = state.tree.refresh(now=now)
        if not changed:
            return
        there = state.tree.artifacts
        for key in sorted(there | state.artifacts.keys()):
            known = state.artifacts.get(key)
            if key.type in changed and (
                known is None or key not in there or home_marks(key.place(state.tree.root)) != known.home_marks
            ):
                state.backlog[key] = None

    def _looks(self, state: _RootState, keys: Iterable[ArtifactKey]) -> Iterator[ArtifactPart]:
        for key in keys:
            yield from look_at_artifact(state.tree.root, key, state.artifacts.get(key))


def _remember(state: ArtifactState, part: ArtifactPart, *, now: float) -> None:
    """Take over what was written of an artifact."""
    for number in part.hidden:
        state.versions.pop(number, None)
    state.versions |= {look.metadata.version: look.state for look in part.versions}
    if part.facts:
        state.marks = part.facts.marks
        settled = is_settled(state.marks, now=now, after_s=UNSETTLED_S)
        state.hot_until = 0.0 if settled else now + UNSETTLED_S


def load_states(root: StorageRoot, key: ArtifactKey | None = None) -> dict[ArtifactKey, ArtifactState]:
    """What an earlier mirror process knew, from the rows. key: of this artifact only."""
    which = {"root": root} if key is None else {"root": root, "type": key.type, "name": key.name}
    rows = Artifact.objects.filter(**which).values_list("type", "name", "pk", "marks")
    states = {ArtifactKey(type_, name): ArtifactState(pk, marks) for type_, name, pk, marks in rows}
    by_pk = {state.key: state for state in states.values()}
    versions = ArtifactVersion.objects.filter(**{f"artifact__{name}": value for name, value in which.items()})
    columns = ("artifact_id", "number", "marks", "manifest_mark", "problems")
    for pk, number, marks, mark, problems in versions.values_list(*columns).iterator():
        if pk in by_pk:  # else it came between the two queries
            by_pk[pk].versions[number] = VersionState(marks, mark, problems)
    return states


def _batches(parts: Iterable[ArtifactPart]) -> Iterator[list[ArtifactPart]]:
    return batches(parts, weight=lambda part: part.weight, most=ROWS_A_PART)
