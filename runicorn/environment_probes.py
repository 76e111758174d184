"""What can be found out about the machine a run trains on. Every probe answers None instead of failing."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GIT_TIMEOUT_S = 5.0
GPU_TIMEOUT_S = 5.0

_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET_IN_QUERY = re.compile(r"([?&][^=&\s]*(?:token|key|secret|password|signature)[^=&\s]*=)[^&\s]+", re.IGNORECASE)
_NAME = re.compile(r"^Name:[ \t]*(\S+)", re.MULTILINE)
_VERSION = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE)
_GPU_QUERY = "index,name,memory.total,memory.free,utilization.gpu,temperature.gpu"


def without_credentials(text: str) -> str:
    """``text`` without user names, passwords and tokens in the URLs it holds."""
    return _SECRET_IN_QUERY.sub(r"\1***", _USER_IN_URL.sub("", text))


def installed_packages() -> list[str]:
    """The installed distributions, as ``name==version``, sorted; of several versions the one that is imported."""
    from importlib import metadata  # not at the top: loads the e-mail parser, and runs in the background

    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        # the two headers by pattern: parsing the whole of METADATA takes ten times as long
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        head = text.partition("\n\n")[0]
        name, version = _NAME.search(head), _VERSION.search(head)
        if name and version:
            found.setdefault(re.sub(r"[-_.]+", "-", name[1]).lower(), f"{name[1]}=={version[1]}")
        time.sleep(0)  # the training has the interpreter first
    return sorted(found.values(), key=str.lower)


def conda_packages() -> list[str] | None:
    """The packages of the conda environment this interpreter belongs to, or None outside conda."""
    folder = Path(sys.prefix) / "conda-meta"
    if not folder.is_dir():
        return None
    parts = (path.stem.rsplit("-", 2) for path in folder.glob("*.json"))
    return sorted(f"{name[0]}=={name[1]}" for name in parts if len(name) == 3)


def platform_details() -> dict[str, str]:
    uname = platform.uname()
    return {
        "system": uname.system,
        "node": uname.node,
        "release": uname.release,
        "version": uname.version,
        "machine": uname.machine,
        "processor": uname.processor,
        "python_implementation": platform.python_implementation(),
        "python_compiler": platform.python_compiler(),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit, branch and changes of the work tree that holds ``folder``, or None if git finds none within 5 s."""
    deadline = time.monotonic() + GIT_TIMEOUT_S

    def git(*arguments: str) -> str | None:
        # fsmonitor: a setting of the repository must not start programs from a mere look at it
        command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
        return _output(command, folder=folder, timeout_s=deadline - time.monotonic())

    commit = git("rev-parse", "HEAD")
    if commit is None:
        return None
    changes = git("status", "--porcelain")
    state: dict[str, Any] = {"commit": commit, "branch": git("rev-parse", "--abbrev-ref", "HEAD")}
    state["has_changes"] = bool(changes)
    if changes:
        state["changed_files_count"] = len(changes.splitlines())
    remote = git("config", "--get", "remote.origin.url")
    state["remote"] = without_credentials(remote) if remote else None
    message, _, author = (git("log", "-1", "--format=%s%x00%an <%ae>") or "").partition("\x00")
    state["last_commit_message"] = message or None
    state["last_commit_author"] = author or None
    return state


def gpus() -> list[dict[str, Any]] | None:
    """The GPUs that nvidia-smi names within 5 s, else those of a torch that is in use, else None."""
    if shutil.which("nvidia-smi") is None:
        return _torch_gpus()
    command = ["nvidia-smi", f"--query-gpu={_GPU_QUERY}", "--format=csv,noheader,nounits"]
    text = _output(command, folder=None, timeout_s=GPU_TIMEOUT_S)
    found = [gpu for gpu in map(_parse_gpu, (text or "").splitlines()) if gpu]
    return found or _torch_gpus()


def _parse_gpu(line: str) -> dict[str, Any] | None:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 6 or _whole(fields[0]) is None:
        return None
    return {
        "index": _whole(fields[0]),
        "name": fields[1],
        "memory_total_mb": _whole(fields[2]),
        "memory_free_mb": _whole(fields[3]),
        "utilization_percent": _whole(fields[4]),
        "temperature_c": _whole(fields[5]),
    }


def _torch_gpus() -> list[dict[str, Any]] | None:
    torch: Any = sys.modules.get("torch")
    # asking a CUDA that is not in use would start it, after which the script could not fork any more
    if torch is None or not torch.cuda.is_initialized():
        return None
    found = [(index, torch.cuda.get_device_properties(index)) for index in range(torch.cuda.device_count())]
    return [
        {
            "index": index,
            "name": gpu.name,
            "memory_total_mb": gpu.total_memory // 2**20,
            "compute_capability": f"{gpu.major}.{gpu.minor}",
        }
        for index, gpu in found
    ] or None


def _whole(field: str) -> int | None:
    try:
        return int(float(field))
    except (ValueError, OverflowError):  # "[N/A]" on laptops
        return None


def _output(command: Iterable[str], *, folder: Path | None, timeout_s: float) -> str | None:
    """What a program prints, stripped; None if it is missing, fails, prints nothing or takes too long."""
    if timeout_s <= 0:
        return None
    try:
        done = subprocess.run(
            list(command), cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_s, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None
