"""Whether the process that writes a run still lives.

A process is known by machine (boot id and pid namespace), pid and start time. Nothing here guesses about other
machines: there the age of heartbeat.json is all one sees, and a silent run is unknown, not dead.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

#: How often heartbeat.json is rewritten.
HEARTBEAT_INTERVAL_S = 15.0
#: So many intervals without a heartbeat mean that there is no sign of life.
MISSED_BEATS = 4
#: Start times are computed from clock ticks and the boot time; both sides round.
START_TOLERANCE_S = 2.0
#: Without a heartbeat: how much later than ``started_at`` the process may have been created (clock steps).
START_GRACE_S = 5.0


class Life(str, Enum):
    """What is known about the process that writes a run."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """The judgement, and the last sign of life (Unix seconds; None if the files name none)."""

    life: Life
    last_sign_at: float | None


class Machine(NamedTuple):
    """One boot of one kernel, as seen from one pid namespace. None where the system does not tell."""

    hostname: str
    boot_id: str | None
    pid_namespace: str | None

    def wrote(self, heartbeat: Mapping[str, Any]) -> bool:
        """Whether the pid in ``heartbeat`` is a pid of this machine."""
        return (
            self.boot_id is not None
            and self.pid_namespace is not None
            and heartbeat.get("boot_id") == self.boot_id
            and heartbeat.get("pid_namespace") == self.pid_namespace
        )


class Process(NamedTuple):
    """A process that exists. started_at: Unix seconds, None if its start time may not be seen."""

    started_at: float | None


def judge(
    *,
    meta: Mapping[str, Any],
    status: Mapping[str, Any],
    heartbeat: Mapping[str, Any] | None,
    heartbeat_changed_at: float | None,
    machine: Machine,
    now: float,
    find_process: Callable[[int], Process | None],
) -> Verdict:
    """Whether the writer of a run whose status is ``running`` still lives.

    heartbeat: None if there is no readable heartbeat.json (a run of an older version).
    heartbeat_changed_at: when that file changed, by the clock that gives ``now``: its mtime, or better the time
    at which the reader saw it change. find_process: normally this module's; None means no such process.
    Unknown runs keep their status: nothing says that they ended.
    """
    signs = [_number(status.get("started_at"))]
    if heartbeat is None:
        life = _judge_by_meta(meta, status, machine, find_process)
    else:
        signs += [_number(heartbeat.get("ts")), heartbeat_changed_at]
        age = None if heartbeat_changed_at is None else now - heartbeat_changed_at
        life = _judge_by_heartbeat(heartbeat, age, machine, find_process)
    return Verdict(life, max((sign for sign in signs if sign is not None), default=None))


def _judge_by_heartbeat(
    heartbeat: Mapping[str, Any], age: float | None, machine: Machine, find_process: Callable[[int], Process | None]
) -> Life:
    interval = _number(heartbeat.get("interval_s")) or HEARTBEAT_INTERVAL_S
    # a time far in the future says as little as one in the past
    fresh = age is not None and abs(age) <= MISSED_BEATS * interval
    pid = heartbeat.get("pid")
    if not machine.wrote(heartbeat) or not _is_pid(pid):
        return Life.ALIVE if fresh else Life.UNKNOWN
    process = find_process(pid)
    if process is None:
        return Life.DEAD
    recorded = _number(heartbeat.get("process_started_at"))
    if process.started_at is None or recorded is None or abs(process.started_at - recorded) <= START_TOLERANCE_S:
        return Life.ALIVE
    # Another process with that pid; or the clock was set and moved all start times until the next beat tells the new
    # one. A fresh heartbeat decides for life.
    return Life.ALIVE if fresh else Life.DEAD


def _judge_by_meta(
    meta: Mapping[str, Any],
    status: Mapping[str, Any],
    machine: Machine,
    find_process: Callable[[int], Process | None],
) -> Life:
    pid = meta.get("pid")
    if not _is_pid(pid) or meta.get("hostname") != machine.hostname:
        return Life.UNKNOWN
    process = find_process(pid)
    if process is None:
        return Life.DEAD
    started_at = _number(status.get("started_at"))
    if process.started_at is None or started_at is None:
        return Life.ALIVE
    return Life.DEAD if process.started_at > started_at + START_GRACE_S else Life.ALIVE


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e15 else None  # NaN fails the comparison, too


def _is_pid(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """This machine, looked up once a process (a forked child stays in its parent's namespace)."""
    return Machine(hostname=platform.node(), boot_id=_boot_id(), pid_namespace=_pid_namespace())


def find_process(pid: int) -> Process | None:
    """The process with that pid, or None if there is none; a zombie counts as none."""
    return _find_in_proc(pid) if sys.platform.startswith("linux") else _find_with_psutil(pid)


def _find_with_psutil(pid: int) -> Process | None:
    import psutil  # not at the top: costs 10 ms, and Linux does without it

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(process.create_time())
    except psutil.AccessDenied:
        return Process(None)
    except psutil.Error:
        return None


def process_started_at(pid: int) -> float | None:
    """Unix seconds at which an existing process started, by the clock as it is set now; None if it may not be seen."""
    process = find_process(pid)
    return process.started_at if process else None


def _find_in_proc(pid: int) -> Process | None:
    """See proc(5). A process's name may hold blanks and brackets: the fields are counted behind the last bracket."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        # hidepid hides other users' processes; signal 0 still finds them
        return Process(None) if _exists(pid) else None
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return Process(_boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_time() -> float:
    for line in Path("/proc/stat").read_bytes().splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    return 0.0


def _boot_id() -> str | None:
    if sys.platform == "win32":
        return _windows_machine_id()
    if sys.platform == "darwin":
        return _mac_boot_session()
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip() or None
    except OSError:
        return None


def _pid_namespace() -> str | None:
    if not sys.platform.startswith("linux"):
        return "host"  # other systems have one pid space
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _windows_machine_id() -> str | None:
    """Windows has no boot id; the installation's id serves, since pid and start time tell boots apart."""
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:
            return None
    return None


def _mac_boot_session() -> str | None:
    import ctypes  # not at the top: only macOS needs it

    try:
        system = ctypes.CDLL(None)
        buffer = ctypes.create_string_buffer(64)
        size = ctypes.c_size_t(len(buffer))
        failed = system.sysctlbyname(b"kern.bootsessionuuid", buffer, ctypes.byref(size), None, ctypes.c_size_t(0))
    except (OSError, AttributeError):
        return None
    return None if failed else buffer.value.decode("ascii") or None
