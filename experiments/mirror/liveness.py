"""Which running runs still live: the dead-process rule, applied to the rows of one root.

Written are ``status.json`` of a run whose process is certainly gone on this machine, and ``Run.silent`` of one that
gives no sign of life and may be elsewhere. Rule: docs/design/0002-run-directories.md, part "Whether a run lives".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db.models import Q

from experiments.mirror import write
from experiments.mirror.marks import last_written_by_run
from experiments.mirror.refresh import refresh_run
from experiments.models import Change, Run, StorageRoot
from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.documents import read_document, touch_runs_folder, write_document
from runicorn.storage.layout import RunStatus
from runicorn.storage.liveness import Life, Verdict, find_process, judge, this_machine

logger = logging.getLogger(__name__)


def check_running_runs(root: StorageRoot, *, now: float) -> tuple[int, int]:
    """Judge every run of the root that its files call running. Returns how many were checked and how many changed.

    now: Unix seconds. A run directory that cannot be written keeps ``running`` on disk and is failed in the index.
    """
    checked = updated = 0
    for run in Run.objects.filter(root=root, status=Run.Status.RUNNING, deleted_at=None):
        checked += 1
        updated += _check(root, run, now)
    return checked, updated


def _check(root: StorageRoot, run: Run, now: float) -> bool:
    run_dir = Path(root.path, run.path)
    try:
        meta, status = read_document(run_dir, layout.META), read_document(run_dir, layout.STATUS)
        heartbeat = _read_heartbeat(run_dir)
    except UnreadableDocument:
        return False  # the mirror lists it as a problem; nothing can be judged
    if not meta or not status or layout.parse_status(status.get("status")) is not RunStatus.RUNNING:
        return False
    verdict = judge(
        meta=meta,
        status=status,
        heartbeat=heartbeat,
        heartbeat_changed_at=_changed_at(run_dir / layout.HEARTBEAT),
        machine=this_machine(),
        now=now,
        find_process=find_process,
    )
    last_sign_at = max(filter(None, (verdict.last_sign_at, _last_written(run_dir))), default=None)
    if verdict.life is Life.DEAD:
        return _fail(root, run, status, last_sign_at, now)
    return _note_silence(run, verdict, last_sign_at, now)


def _last_written(run_dir: Path) -> float | None:
    try:
        return last_written_by_run(run_dir)
    except OSError:
        return None


def _read_heartbeat(run_dir: Path) -> dict[str, Any] | None:
    try:
        return read_document(run_dir, layout.HEARTBEAT)
    except UnreadableDocument:
        return None  # written whole but not atomically: read in the middle of it


def _changed_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _fail(root: StorageRoot, run: Run, status: Mapping[str, Any], last_sign_at: float | None, now: float) -> bool:
    run_dir = Path(root.path, run.path)
    try:
        write_document(
            run_dir / layout.STATUS,
            {
                **status,
                "status": RunStatus.FAILED.value,
                "ended_at": last_sign_at,
                "exit_reason": layout.PROCESS_NOT_FOUND,
            },
        )
        touch_runs_folder(run_dir)
    except OSError as error:
        logger.warning("The end of run %s cannot be written to %s: %s.", run.run_id, run_dir, error)
        Run.objects.filter(pk=run.pk).update(
            status=Run.Status.FAILED,
            ended_at=last_sign_at,
            exit_reason=layout.PROCESS_NOT_FOUND,
            silent=False,
            last_sign_at=last_sign_at,
        )
        write.add_changes([write.ChangeRow(Change.Kind.RUN.value, now, run.pk, run.run_id)])
        return True
    refresh_run(root, run.path, now=now)
    return True


def _note_silence(run: Run, verdict: Verdict, last_sign_at: float | None, now: float) -> bool:
    silent = verdict.life is Life.UNKNOWN
    changed = Run.objects.filter(pk=run.pk).exclude(Q(silent=silent)).update(silent=silent, last_sign_at=last_sign_at)
    if changed:
        write.add_changes([write.ChangeRow(Change.Kind.RUN.value, now, run.pk, run.run_id)])
    return False
