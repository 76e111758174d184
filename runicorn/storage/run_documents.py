"""The small JSON files of one run directory, read with suspicion and brought to one shape whatever version wrote them.

Layouts and their differences: docs/design/0002-run-directories.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from runicorn.errors import UnreadableDocument
from runicorn.storage import layout
from runicorn.storage.artifact_records import ArtifactRecord, records_in
from runicorn.storage.documents import read_document
from runicorn.storage.layout import RunStatus, parse_status
from runicorn.storage.run_colors import COLORS
from runicorn.storage.values import integer, number, optional_text, plain, text


@dataclass(frozen=True)
class RunDocuments:
    """What the documents of a run say. Times are Unix seconds. Texts hold no surrogates and no NUL.

    problems: file name → why it could not be used; what it would have said has its default.
    """

    project: str | None
    name: str | None
    display_name: str | None
    group: str | None
    status: RunStatus
    exit_reason: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    pid: int | None
    hostname: str | None
    python_version: str | None
    platform: str | None
    attempt: int
    best_metric_name: str | None
    best_metric_value: float | None
    best_metric_step: int | None
    best_metric_mode: str | None
    tags: tuple[str, ...]
    description: str | None
    notes: str
    archived: bool
    pinned: bool
    color: str | None
    deleted_at: float | None
    delete_reason: str | None
    artifacts_created: tuple[ArtifactRecord, ...]
    artifacts_used: tuple[ArtifactRecord, ...]
    has_environment: bool
    config: dict[str, Any]
    summary: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def artifacts_created_count(self) -> int:
        return len(self.artifacts_created)

    @property
    def artifacts_used_count(self) -> int:
        return len(self.artifacts_used)


def read_run_documents(root: Path, path: str, *, older_curation: Mapping[str, Any] | None = None) -> RunDocuments:
    """Read the documents of the run at ``path`` below ``root``. Broken ones become entries in ``problems``.

    older_curation: this run's entry in the root's .experiments_metadata.json, used where curation.json is absent.
    """
    run_dir = root / path
    problems: dict[str, str] = {}

    def read(name: str) -> dict[str, Any]:
        try:
            return read_document(run_dir, name) or {}
        except UnreadableDocument as error:
            problems[name] = text(str(error))
            return {}

    meta, status, summary = read(layout.META), read(layout.STATUS), plain(read(layout.SUMMARY))
    curation = read(layout.CURATION) or dict(older_curation or {})
    project, name = _place(path, meta)
    deleted_at, delete_reason = _deletion(run_dir)
    best = _best_metric(summary)
    return RunDocuments(
        project=project,
        name=name,
        display_name=optional_text(curation.get("display_name")) or optional_text(meta.get("alias")),
        group=optional_text(meta.get("group")),
        status=parse_status(status.get("status")),
        exit_reason=optional_text(status.get("exit_reason")),
        created_at=_first_number(meta.get("created_at"), status.get("started_at")) or _modified_at(run_dir),
        started_at=number(status.get("started_at")),
        ended_at=number(status.get("ended_at")),
        pid=integer(meta.get("pid")),
        hostname=optional_text(meta.get("hostname")),
        python_version=optional_text(meta.get("python")),
        platform=optional_text(meta.get("platform")),
        attempt=integer(meta.get("attempt")) or 1,
        best_metric_name=best[0],
        best_metric_value=best[1],
        best_metric_step=best[2],
        best_metric_mode=best[3],
        tags=tags_of(curation.get("tags", meta.get("tags"))),
        description=optional_text(curation.get("description")),
        notes=optional_text(curation.get("notes", meta.get("notes"))) or "",
        archived=curation.get("archived") is True,
        pinned=curation.get("pinned") is True,
        color=_color(curation.get("color")),
        deleted_at=deleted_at,
        delete_reason=delete_reason,
        artifacts_created=records_in(read(layout.ARTIFACTS_CREATED), time_key="created_at"),
        artifacts_used=records_in(read(layout.ARTIFACTS_USED), time_key="used_at"),
        has_environment=(run_dir / layout.ENVIRONMENT).is_file(),
        config=_config(read(layout.CONFIG), read(layout.ASSETS)),
        summary=summary,
        problems=problems,
    )


def _color(value: object) -> str | None:
    return value if isinstance(value, str) and value in COLORS else None


def read_older_curation(root: Path) -> dict[str, Any]:
    """The entries of .experiments_metadata.json by run id. Raises UnreadableDocument."""
    return read_document(root, layout.ROOT_METADATA) or {}


def _place(path: str, meta: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Project and experiment: from the folders where they lie; from meta.json in the layouts of 0.1 and 0.7."""
    parts = PurePosixPath(path).parts
    if len(parts) == 4 and parts[2] == layout.RUNS_DIR:
        return parts[0], parts[1]
    if older_path := optional_text(meta.get("path")):
        project, _, name = older_path.strip("/").partition("/")
        return project or None, name or None
    return optional_text(meta.get("project")), optional_text(meta.get("name"))


def _first_number(*values: object) -> float | None:
    return next((found for value in values if (found := number(value)) is not None), None)


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _deletion(run_dir: Path) -> tuple[float | None, str | None]:
    """When and why the run was put into the recycle bin. The marker counts even when it is empty or unreadable."""
    if not os.path.lexists(run_dir / layout.DELETED):
        return None, None
    try:
        marker = read_document(run_dir, layout.DELETED) or {}
    except UnreadableDocument:
        marker = {}
    deleted_at = number(marker.get("deleted_at"))
    return deleted_at if deleted_at is not None else _modified_at(run_dir / layout.DELETED), optional_text(
        marker.get("reason")
    ) or "unknown"


def _best_metric(summary: Mapping[str, Any]) -> tuple[str | None, float | None, int | None, str | None]:
    name = optional_text(summary.get("best_metric_name"))
    if name is None:
        older = number(summary.get("best_val_acc_top1"))  # 0.2
        return ("val_acc_top1", older, None, "max") if older is not None else (None, None, None, None)
    mode = summary.get("best_metric_mode")
    return (
        name,
        number(summary.get("best_metric_value")),
        integer(summary.get("best_metric_step")),
        mode if mode in ("max", "min") else None,
    )


def tags_of(value: object) -> tuple[str, ...]:
    """The tags in a document's list, in order, each once."""
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(text(tag)[:255] for tag in value if isinstance(tag, str) and tag))


def _config(config: dict[str, Any], assets: Mapping[str, Any]) -> dict[str, Any]:
    if not config and isinstance(older := assets.get("config"), dict) and isinstance(older.get("args"), dict):
        config = older["args"]
    return plain(config)  # type: ignore[no-any-return]
