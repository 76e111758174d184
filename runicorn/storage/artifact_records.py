"""What a run recorded of the artifact versions it created and used. Read with suspicion: a record may name anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runicorn.storage import layout
from runicorn.storage.values import integer, number, optional_text, text


@dataclass(frozen=True)
class ArtifactRecord:
    """One version that a run created or used.

    type, version, size_bytes: None if the record does not say, or says what cannot be.
    at: when, Unix seconds.
    """

    name: str
    type: str | None
    version: int | None
    size_bytes: int | None
    at: float | None


def records_in(document: Mapping[str, Any], *, time_key: str) -> tuple[ArtifactRecord, ...]:
    """What artifacts_created.json (time_key ``created_at``) or artifacts_used.json (``used_at``) names, in its order.

    Entries that are no object or have no name are left out.
    """
    entries = document.get("artifacts")
    return tuple(
        ArtifactRecord(
            name=text(entry["name"]),
            type=_type(entry.get("type")),
            version=integer(entry.get("version")),
            size_bytes=integer(entry.get("size_bytes")),
            at=number(entry.get(time_key)),
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    )


def _type(value: object) -> str | None:
    """``ArtifactType.MODEL`` is how 0.4 wrote model on newer Pythons."""
    type_ = optional_text(value)
    if type_ is not None and type_.startswith(layout.ARTIFACT_ENUM_PREFIX):
        return type_.removeprefix(layout.ARTIFACT_ENUM_PREFIX).lower()
    return type_
