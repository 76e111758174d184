"""Names of files and folders in a storage root, and which names people may choose."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from enum import Enum
from pathlib import Path

from runicorn.errors import InvalidName

META = "meta.json"
STATUS = "status.json"
SUMMARY = "summary.json"
CONFIG = "config.json"
ENVIRONMENT = "environment.json"
CURATION = "curation.json"
HEARTBEAT = "heartbeat.json"
ASSETS = "assets.json"  # 0.7: the run's arguments
ARTIFACTS_CREATED = "artifacts_created.json"
ARTIFACTS_USED = "artifacts_used.json"
EVENTS = "events.jsonl"
LOGS = "logs.txt"
LOGS_INDEX = "logs.index.jsonl"
DELETED = ".deleted"
MEDIA_DIR = "media"
RUNS_DIR = "runs"
ARTIFACTS_DIR = "artifacts"
VERSIONS = "versions.json"  # of an artifact
VERSION_METADATA = "metadata.json"  # of one version
VERSION_MANIFEST = "manifest.json"  # of one version
VERSION_FILES_DIR = "files"  # of one version
ARTIFACT_LOCK = ".lock"  # of one artifact
DEDUP_DIR = ".dedup"  # below artifacts/: each content once
ROOT_METADATA = ".experiments_metadata.json"  # tags of 0.4: read, never written

#: The ``exit_reason`` of a run whose process died without a word.
PROCESS_NOT_FOUND = "process_not_found"

ARTIFACT_TYPES = ("model", "dataset", "config", "code", "custom")
#: Before the type, in upper case: how 0.4 on Python 3.11 and newer names a type and its folder.
ARTIFACT_ENUM_PREFIX = "ArtifactType."

#: Top-level names that are never a project.
RESERVED_NAMES = frozenset({"runs", "artifacts", "evaluations", "sweeps", "webui"})
NAME_MAX_CHARS = 100
RUN_ID_MAX_CHARS = 200

EVENTS_PATTERN = re.compile(r"^events(\.[^/\\]+)?\.jsonl$")
LOGS_PATTERN = re.compile(r"^logs(\.[^/\\]+)?\.txt$")
RUN_ID_PATTERN = re.compile(r"^[0-9]{8}_[0-9]{6}_[0-9a-z]{6}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class RunStatus(str, Enum):
    """The four states a status file may hold."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


def parse_status(value: object) -> RunStatus:
    """The status a file means. ``completed`` is an older word for finished; anything unknown counts as finished."""
    if value == "completed":
        return RunStatus.FINISHED
    try:
        return RunStatus(value)
    except ValueError:
        return RunStatus.FINISHED


def check_name(kind: str, name: object) -> str:
    """Return ``name`` if a project or experiment may have it. kind: the word the message uses.

    Raises InvalidName otherwise.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidName(f"The {kind} name is empty; give it a name.")
    reason = None
    if len(name) > NAME_MAX_CHARS:
        reason = f"is longer than {NAME_MAX_CHARS} characters"
    elif name != name.strip():
        reason = "begins or ends with a blank"
    elif name.startswith("."):
        reason = "begins with a dot"
    elif ".." in name or "/" in name or "\\" in name:
        reason = "contains '..', '/' or '\\'"
    elif _CONTROL.search(name):
        reason = "contains control characters"
    elif kind == "project" and name in RESERVED_NAMES:
        reason = "is a reserved folder name"
    if reason:
        raise InvalidName(f"The {kind} name {name!r} {reason}; choose another name.")
    return name


def check_run_id(run_id: object) -> str:
    """Return ``run_id`` if a run directory may have that name. Raises InvalidName otherwise."""
    if (
        not isinstance(run_id, str)
        or not run_id.strip()
        or run_id != run_id.strip()
        or len(run_id) > RUN_ID_MAX_CHARS
        or run_id.startswith(".")
        or "/" in run_id
        or "\\" in run_id
        or _CONTROL.search(run_id)
    ):
        raise InvalidName(f"The run id {run_id!r} cannot be a folder name; use letters, digits, '_' and '-'.")
    return run_id


def new_run_id(now: datetime) -> str:
    """A fresh id such as ``20250114_153045_a1b2c3``: local time, then six random hex digits."""
    return f"{now:%Y%m%d_%H%M%S}_{uuid.uuid4().hex[:6]}"


def runs_folder(root: Path, project: str, experiment: str) -> Path:
    """Where the runs of one experiment lie: ``<root>/<project>/<experiment>/runs``."""
    return root / project / experiment / RUNS_DIR
