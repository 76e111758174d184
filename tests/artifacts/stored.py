"""Artifacts as the library stores them, for tests of what reads them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.saving import NewVersion, save_version
from runicorn.artifacts.staging import StagedFile
from tests.run_directories import write_run

#: When the versions of the tests are made, Unix seconds: a minute apart.
CREATED_AT = 1_736_868_700.0
RUN_ID = "20250114_153045_a1b2c3"


_run_numbers = itertools.count(1)


def new_run_id() -> str:
    """One that no other test of this process has: the server is one for all."""
    return f"20250114_153045_{next(_run_numbers):06x}"


def place_of(root: Path, name: str = "net", type: str = "model") -> ArtifactPlace:
    return ArtifactPlace(root, type, name)


def log_version(
    root: Path,
    files: Mapping[str, bytes],
    *,
    name: str = "net",
    type: str = "model",
    run_id: str = RUN_ID,
    references: Sequence[ReferenceEntry] = (),
    minute: int = 0,
    **more: Any,
) -> int:
    """Store files, given by path and content, as the next version; returns its number. more: as NewVersion."""
    place = place_of(root, name, type)
    with tempfile.TemporaryDirectory() as folder:
        staged = []
        for number, (path, content) in enumerate(files.items()):
            source = Path(folder, str(number))
            source.write_bytes(content)
            staged.append(StagedFile(source, path))
        new = NewVersion(staged, references, run_id, CREATED_AT + 60 * minute, **more)
        return save_version(place, new).metadata.version


def write_lineage(
    root: Path, run_id: str, *, made: Collection[str] = (), used: Collection[str] = (), stored: bool = True
) -> Path:
    """A run that used and made versions of models, given as ``name:number``; the made ones are stored, too."""
    for text in made if stored else ():
        log_version(root, {"w": b"12345"}, name=text.partition(":")[0], run_id=run_id)
    documents = {
        "artifacts_created": {"artifacts": [_record(text) | {"created_at": 5.0} for text in made]},
        "artifacts_used": {"artifacts": [_record(text) | {"used_at": 6.0} for text in used]},
    }
    return write_run(root, f"vision/vit/runs/{run_id}", **documents)


def _record(text: str) -> dict[str, Any]:
    name, _, number = text.partition(":")
    return {"name": name, "type": "model", "version": int(number), "size_bytes": 7, "num_files": 1}
