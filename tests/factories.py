"""Rows of the index with readable values, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from experiments.models import Run, StorageRoot

#: 14 January 2025, 15:30:45 UTC.
CREATED_AT = 1_736_868_645.5


def make_root(key: str = StorageRoot.LOCAL, *, path: str = "/data/lab", enabled: bool = True) -> StorageRoot:
    return StorageRoot.objects.create(key=key, path=path, enabled=enabled)


def make_run(root: StorageRoot, number: int = 1, **fields: Any) -> Run:
    """A finished run; each ``number`` is a minute later than the one before. fields: columns that differ."""
    created_at = CREATED_AT + 60 * number
    run_id = f"20250114_153045_{number:06x}"
    values = {
        "run_id": run_id,
        "project": "vision",
        "name": "vit",
        "status": Run.Status.FINISHED,
        "created_at": created_at,
        "started_at": created_at,
        "ended_at": created_at + 90,
        "updated_at": created_at + 90,
        **fields,
    }
    values.setdefault("path", f"{values['project']}/{values['name']}/runs/{values['run_id']}")
    words = (values["project"], values["name"], values.get("display_name"), values["run_id"], values.get("tags"))
    values.setdefault("search_text", " ".join(str(word).casefold() for word in words if word))
    return Run.objects.create(root=root, **values)
