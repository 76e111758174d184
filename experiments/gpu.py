"""What the graphics cards of this machine are doing, from ``nvidia-smi``."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Any

TOOL = "nvidia-smi"
#: A card that hangs makes the tool hang.
TIMEOUT_S = 5.0
#: Several open pages ask at once; the tool itself takes tens of milliseconds.
CACHE_S = 1.0

#: Field of the answer → field of the tool. The name stands last: it may hold commas, everything else cannot.
_FIELDS = {
    "util_gpu": "utilization.gpu",
    "util_mem": "utilization.memory",
    "mem_total_mib": "memory.total",
    "mem_used_mib": "memory.used",
    "temp_c": "temperature.gpu",
    "power_w": "power.draw",
    "power_limit_w": "power.limit",
    "enforced_power_limit_w": "enforced.power.limit",
    "clock_sm_mhz": "clocks.sm",
    "clock_mem_mhz": "clocks.mem",
    "fan_speed_pct": "fan.speed",
}
_QUERY = ",".join(["index", "pstate", *_FIELDS.values(), "name"])


@dataclass
class _Cache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: dict[str, Any] = field(default_factory=dict)
    expires_at: float = 0.0


_cache = _Cache()


def gpu_telemetry() -> dict[str, Any]:
    """The cards' present state as the API gives it; at most one second old, never raises for a failing tool."""
    with _cache.lock:
        if time.monotonic() >= _cache.expires_at:
            _cache.answer = ask_tool(ts=time.time())
            _cache.expires_at = time.monotonic() + CACHE_S
        return _cache.answer


def ask_tool(*, ts: float) -> dict[str, Any]:
    """As gpu_telemetry, without the cache. ts: Unix seconds, for the answer."""
    tool = shutil.which(TOOL)
    if tool is None:
        return _unavailable(f"{TOOL} not found in PATH")
    command = [tool, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        gpus = [_parse_line(line) for line in result.stdout.splitlines() if line.strip()]
    except subprocess.TimeoutExpired:
        return _unavailable(f"{TOOL} did not answer within {TIMEOUT_S:.0f} s")
    except subprocess.CalledProcessError as error:
        return _unavailable(f"{TOOL} failed with exit code {error.returncode}")
    except (OSError, ValueError) as error:
        return _unavailable(f"{TOOL} gave no usable answer: {error}")
    return {"available": True, "ts": ts, "gpus": gpus}


def _unavailable(reason: str) -> dict[str, Any]:
    return {"available": False, "reason": reason}


def _parse_line(line: str) -> dict[str, Any]:
    """One card. Raises ValueError if the line has too few fields."""
    index, pstate, *values, name = (part.strip() for part in line.split(",", len(_FIELDS) + 2))
    numbers = dict(zip(_FIELDS, map(_number, values), strict=True))
    enforced = numbers.pop("enforced_power_limit_w")
    if numbers["power_limit_w"] is None:  # laptops give only the limit in force
        numbers["power_limit_w"] = enforced
    total, used = numbers["mem_total_mib"], numbers["mem_used_mib"]
    share = round(100 * used / total, 1) if total and used is not None else None
    return {"index": int(index), "name": name, "pstate": pstate, "mem_used_pct": share} | numbers


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "[N/A]", "[Not Supported]"
        return None
