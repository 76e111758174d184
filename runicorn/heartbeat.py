"""The sign of life of a running process: heartbeat.json, rewritten every 15 s."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runicorn.errors import UnreadableDocument
from runicorn.guard import Guard
from runicorn.storage import json_text, layout
from runicorn.storage.documents import read_document
from runicorn.storage.layout import PROCESS_NOT_FOUND, RunStatus
from runicorn.storage.liveness import (
    HEARTBEAT_INTERVAL_S,
    Life,
    Verdict,
    find_process,
    judge,
    process_started_at,
    this_machine,
)


def heartbeat_document(*, at: float, attempt: int) -> dict[str, Any]:
    """What heartbeat.json says of this process."""
    machine = this_machine()
    return {
        "ts": at,
        "interval_s": HEARTBEAT_INTERVAL_S,
        "host": machine.hostname,
        "boot_id": machine.boot_id,
        "pid_namespace": machine.pid_namespace,
        "pid": os.getpid(),
        # asked anew each time: when the clock is set, all start times move with it
        "process_started_at": process_started_at(os.getpid()),
        "attempt": attempt,
    }


def write_heartbeat(run_dir: Path, *, at: float, attempt: int) -> None:
    """Replace heartbeat.json, whole but not fsynced: after a power failure nobody lives. Raises OSError."""
    path = run_dir / layout.HEARTBEAT
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(json_text.dumps_pretty(heartbeat_document(at=at, attempt=attempt)))
    os.replace(temporary, path)


def verdict_on(run_dir: Path, *, now: float) -> tuple[Verdict, dict[str, Any] | None]:
    """Whether the process that writes the run lives, and its heartbeat (None if there is no readable one).

    now: by the clock of the file system that holds the run.
    """
    path = run_dir / layout.HEARTBEAT
    heartbeat, changed_at = _read(path), None
    with suppress(OSError):
        changed_at = path.stat().st_mtime
    verdict = judge(
        meta=_read(run_dir / layout.META) or {},
        status=_read(run_dir / layout.STATUS) or {},
        heartbeat=heartbeat,
        heartbeat_changed_at=changed_at,
        machine=this_machine(),
        now=now,
        find_process=find_process,
    )
    return verdict, heartbeat


def led_by_another(run_dir: Path, *, now: float) -> bool:
    """Whether the run is open and heartbeat.json names another process, which lives, as its leader."""
    if not is_open(run_dir):
        return False
    verdict, heartbeat = verdict_on(run_dir, now=now)
    if heartbeat is None or verdict.life is not Life.ALIVE:
        return False
    return not (this_machine().wrote(heartbeat) and heartbeat.get("pid") == os.getpid())


def is_open(run_dir: Path) -> bool:
    """Whether the status says running (or that the rule for dead processes ended the run, which may be too early)."""
    status = _read(run_dir / layout.STATUS) or {}
    return status.get("status") == RunStatus.RUNNING or status.get("exit_reason") == PROCESS_NOT_FOUND


class Heartbeat:
    """Beats from a daemon thread of its own, which takes no lock that logging takes.

    leads: False for a process that joined a run led by another one: it beats only once that one is gone.
    clock: Unix seconds. took_over: called, in the thread, when a joined run's leader is gone.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        attempt: int,
        leads: bool,
        guard: Guard,
        took_over: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.leads = leads
        self._run_dir = run_dir
        self._attempt = attempt
        self._guard = guard
        self._took_over = took_over
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_stopped, name="runicorn-heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; does not wait for it."""
        self._stopped.set()

    def beat(self) -> None:
        """One sign of life, unless another process leads the run."""
        now = self._clock()
        if not self.leads:
            if not is_open(self._run_dir) or led_by_another(self._run_dir, now=now):
                return
            self.leads = True
            self._took_over()
        write_heartbeat(self._run_dir, at=now, attempt=self._attempt)

    def _beat_until_stopped(self) -> None:
        while not self._stopped.wait(HEARTBEAT_INTERVAL_S):
            try:
                self.beat()
            except OSError as error:
                self._guard.report("heartbeats", f"{self._run_dir / layout.HEARTBEAT} cannot be written: {error}.")
            except Exception as error:  # noqa: BLE001 - the top of a thread; without it the run would look dead
                self._guard.report_bug(error)


def _read(path: Path) -> dict[str, Any] | None:
    """A document as far as it can be read; a broken one is no evidence of anything."""
    try:
        return read_document(path.parent, path.name)
    except UnreadableDocument:
        return None
