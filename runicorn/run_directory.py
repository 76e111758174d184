"""Creating the directory of a new run, and taking up that of an earlier one."""

from __future__ import annotations

import errno
import os
import platform
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runicorn.errors import Conflict, RunNotFound, UnreadableDocument, UnusableRoot
from runicorn.heartbeat import led_by_another, verdict_on, write_heartbeat
from runicorn.run_request import RunRequest
from runicorn.storage import layout
from runicorn.storage.documents import read_document, sync_folder, touch_runs_folder, write_document
from runicorn.storage.events import largest_step
from runicorn.storage.layout import RunStatus
from runicorn.storage.liveness import this_machine

#: Project and experiment of a script that names none.
DEFAULT_NAME = "default"
#: What rename answers when the target is there already.
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


class OpenedRun(NamedTuple):
    """A run directory that this process may append to.

    attempt: 1 for a new run, one more each time it is resumed. joined: another living process leads the run, and
    this one only adds to it. first_step: the step counter's value, the largest step logged so far.
    """

    run_dir: Path
    project: str
    name: str
    attempt: int
    resumed: bool
    joined: bool
    events_name: str
    logs_name: str
    first_step: int
    config: dict[str, Any]


def open_run(request: RunRequest, *, now: float) -> OpenedRun:
    """Create the run's directory, or take up the one that is there. now: Unix seconds.

    Raises Conflict (``resume="never"`` and it exists; it lies in the recycle bin), RunNotFound (``resume="must"``
    and it does not exist), UnreadableDocument (its meta.json is broken), UnusableRoot (it cannot be written).
    """
    try:
        if request.run_id is None:
            return _create_with_new_id(request, now)
        existing = _find(request, request.run_id)
        if existing is None and request.resume == "must":
            raise RunNotFound(f"There is no run {request.run_id!r} in {request.root}; leave out resume='must'.")
        if existing is None:
            created = _create(request, request.run_id, now)
            if created is not None:
                return created
            # another process was faster by a moment: its directory is complete, so take part in it
            existing = _runs_folder(request) / request.run_id
        return _take_up(request, existing, now)
    except OSError as error:
        raise UnusableRoot(f"No run can be written below {request.root}: {error}; choose another storage.") from error


def _runs_folder(request: RunRequest) -> Path:
    return layout.runs_folder(request.root, request.project, request.name or DEFAULT_NAME)


def _find(request: RunRequest, run_id: str) -> Path | None:
    """The directory of a run that exists: where the request says, or anywhere in the root if it names no place."""
    run_dir = _runs_folder(request) / run_id
    if run_dir.is_dir():
        return run_dir
    if request.project != DEFAULT_NAME or request.name is not None:
        return None
    found = [path for path in request.root.glob(f"*/*/{layout.RUNS_DIR}") if (path / run_id).is_dir()]
    if len(found) > 1:
        places = ", ".join(str(path.parent.relative_to(request.root)) for path in found)
        raise Conflict(f"Run {run_id!r} exists more than once ({places}); name project and name.")
    return found[0] / run_id if found else None


def _create_with_new_id(request: RunRequest, now: float) -> OpenedRun:
    while True:
        created = _create(request, layout.new_run_id(datetime.fromtimestamp(now)), now)
        if created is not None:
            return created


def _create(request: RunRequest, run_id: str, now: float) -> OpenedRun | None:
    """A complete new directory, made under a hidden name and renamed; None if the id is taken."""
    runs_dir = _runs_folder(request)
    run_dir = runs_dir / run_id
    if run_dir.exists():
        return None
    runs_dir.mkdir(parents=True, exist_ok=True)
    hidden = runs_dir / f".{run_id}.{os.urandom(4).hex()}.tmp"
    hidden.mkdir()
    try:
        (hidden / layout.MEDIA_DIR).mkdir()
        write_heartbeat(hidden, at=now, attempt=1)
        meta = {
            "id": run_id,
            "project": request.project,
            "name": request.name or DEFAULT_NAME,
            "created_at": now,
            **_process_facts(request.root),
            **request.additions,
            "attempt": 1,
        }
        write_document(hidden / layout.META, meta)
        if request.config:
            write_document(hidden / layout.CONFIG, request.config)
        write_document(hidden / layout.STATUS, {"status": RunStatus.RUNNING.value, "started_at": now})
        os.rename(hidden, run_dir)
    except OSError as error:
        _remove(hidden)
        if error.errno in _TAKEN and run_dir.exists():
            return None
        raise
    sync_folder(runs_dir)
    return OpenedRun(
        run_dir=run_dir,
        project=request.project,
        name=request.name or DEFAULT_NAME,
        attempt=1,
        resumed=False,
        joined=False,
        events_name=layout.EVENTS,
        logs_name=layout.LOGS,
        first_step=0,
        config=request.config,
    )


def _remove(hidden: Path) -> None:
    import shutil  # not at the top: it loads the archive formats

    shutil.rmtree(hidden, ignore_errors=True)


def _take_up(request: RunRequest, run_dir: Path, now: float) -> OpenedRun:
    if request.resume == "never":
        raise Conflict(f"Run {run_dir.name!r} exists; choose another run_id or resume='allow'.")
    if (run_dir / layout.DELETED).exists():
        raise Conflict(f"Run {run_dir.name!r} lies in the recycle bin; restore it first or choose another run_id.")
    (run_dir / layout.MEDIA_DIR).mkdir(exist_ok=True)
    joined = led_by_another(run_dir, now=_clock_of(run_dir))
    meta = read_document(run_dir, layout.META) or {"id": run_dir.name, "created_at": now}
    earlier = read_document(run_dir, layout.CONFIG) or {}
    config = {**earlier, **request.config}
    attempt = _attempt(meta) if joined else _attempt(meta) + 1
    events_name, logs_name = _names_to_write(run_dir, joined=joined)
    project, name = run_dir.parents[2].name, run_dir.parents[1].name
    if not joined:
        write_heartbeat(run_dir, at=now, attempt=attempt)
        meta |= {"project": project, "name": name, **_process_facts(request.root), **request.additions}
        write_document(run_dir / layout.META, {**meta, "attempt": attempt})
    if config != earlier:
        write_document(run_dir / layout.CONFIG, config)
    if not joined:
        set_running(run_dir, at=now)
    touch_runs_folder(run_dir)
    return OpenedRun(
        run_dir=run_dir,
        project=project,
        name=name,
        attempt=attempt,
        resumed=not joined,
        joined=joined,
        events_name=events_name,
        logs_name=logs_name,
        first_step=largest_step(run_dir),
        config=config,
    )


def set_running(run_dir: Path, *, at: float) -> None:
    """Write that the run goes on; keys that others added stay. Raises OSError."""
    status = _status(run_dir)
    write_document(run_dir / layout.STATUS, {**status, "status": RunStatus.RUNNING.value, "started_at": at})


def set_ended(run_dir: Path, status: RunStatus, *, at: float) -> None:
    """Write how the run ended; keys that others added stay. Raises OSError."""
    write_document(run_dir / layout.STATUS, {**_status(run_dir), "status": status.value, "ended_at": at})


def _status(run_dir: Path) -> dict[str, Any]:
    """The status file without what tells of an end. A broken one (older versions tore them) has nothing to keep."""
    try:
        status = read_document(run_dir, layout.STATUS) or {}
    except UnreadableDocument:
        return {}
    return {key: value for key, value in status.items() if key not in ("ended_at", "exit_reason")}


def _process_facts(root: Path) -> dict[str, Any]:
    """The keys of meta.json that name the logging process."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "hostname": platform.node(),
        "pid": os.getpid(),
        "storage_dir": str(root),
    }


def _attempt(meta: Mapping[str, Any]) -> int:
    attempt = meta.get("attempt")
    return attempt if isinstance(attempt, int) and attempt > 0 else 1


def _clock_of(run_dir: Path) -> float:
    """Now, by the clock that dates files there: a file server's clock may be off by minutes."""
    media = run_dir / layout.MEDIA_DIR
    with suppress(OSError):
        os.utime(media)
        return media.stat().st_mtime
    return time.time()


def _names_to_write(run_dir: Path, *, joined: bool) -> tuple[str, str]:
    """The files of events and logs. Append-mode writes are kept apart within one Linux or macOS kernel only."""
    if not joined:
        return layout.EVENTS, layout.LOGS
    _, heartbeat = verdict_on(run_dir, now=time.time())
    machine = this_machine()
    same_kernel = heartbeat is not None and machine.boot_id is not None and heartbeat.get("boot_id") == machine.boot_id
    if same_kernel and os.name != "nt":
        return layout.EVENTS, layout.LOGS
    writer = f"{re.sub(r'[^A-Za-z0-9.-]', '_', machine.hostname) or 'host'}-{os.getpid()}"
    return f"events.{writer}.jsonl", f"logs.{writer}.txt"
