"""How versions of models did in evaluations: ``<root>/evaluations/<eval_id>.json``, with a note in the version."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runicorn.artifacts.curation import add_to_metadata
from runicorn.artifacts.places import ArtifactPlace
from runicorn.errors import InvalidInput, StorageDamaged, UnreadableDocument
from runicorn.storage.documents import read_document, write_document

EVALUATIONS_DIR = "evaluations"
STATUSES = ("passed", "failed", "pending")
#: Notes of evaluations that a version keeps; every record stays in the folder.
_NOTED = 10
#: Metrics in such a note.
_NOTED_METRICS = 5


@dataclass(frozen=True)
class Evaluation:
    """One evaluation to record. metrics: numbers by name. evaluated_at: Unix seconds."""

    metrics: Mapping[str, float]
    status: str
    evaluated_at: float
    evaluator_run_id: str | None = None
    test_dataset: str | None = None
    notes: str | None = None


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation as it lies in the folder: its document, with the keys that every reader asks for."""

    eval_id: str
    name: str
    version: int
    evaluated_at: float
    document: dict[str, Any] = field(default_factory=dict)


def record_evaluation(place: ArtifactPlace, version: int, evaluation: Evaluation) -> str:
    """Write an evaluation's record and note it in the version; returns its id.

    Raises InvalidInput for an unknown status, ArtifactNotFound, VersionNotFound, Conflict, StorageDamaged.
    """
    if evaluation.status not in STATUSES:
        raise InvalidInput(f"An evaluation is {', '.join(STATUSES)}, not {evaluation.status!r}.")
    place.version_folder(version)
    eval_id = _write_record(place, version, evaluation)
    note = {
        "eval_id": eval_id,
        "date": evaluation.evaluated_at,
        "status": evaluation.status,
        "metrics_summary": dict(list(evaluation.metrics.items())[:_NOTED_METRICS]),
    }
    add_to_metadata(place, version, "evaluations", note, keep=_NOTED)
    return eval_id


def read_evaluations(root: Path, name: str, type_: str) -> list[EvaluationRecord]:
    """The evaluations of every version of an artifact, the newest first. Records that cannot be read are left out.

    Those of 0.4 do not say the type; they count for every artifact of the name.
    """
    found = [
        record
        for record in _records(root / EVALUATIONS_DIR)
        if record.name == name and record.document.get("model_type", type_) == type_
    ]
    return sorted(found, key=lambda record: (record.evaluated_at, record.eval_id), reverse=True)


def _write_record(place: ArtifactPlace, version: int, evaluation: Evaluation) -> str:
    """The record under an id of its own: ``<name>_v<version>_<milliseconds>``, a later millisecond if it is taken."""
    folder = place.root / EVALUATIONS_DIR
    moment = int(evaluation.evaluated_at * 1000)
    try:
        folder.mkdir(exist_ok=True)
        while True:
            eval_id = f"{place.name}_v{version}_{moment}"
            path = folder / f"{eval_id}.json"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            except FileExistsError:
                moment += 1
                continue
            write_document(path, _document(eval_id, place, version, evaluation))
            return eval_id
    except OSError as error:
        raise StorageDamaged(f"{folder} cannot be written: {error.strerror}.") from error


def _document(eval_id: str, place: ArtifactPlace, version: int, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": eval_id,
        "model_name": place.name,
        "model_type": place.type,
        "model_version": version,
        "evaluation_date": evaluation.evaluated_at,
        "evaluator_run_id": evaluation.evaluator_run_id,
        "metrics": dict(evaluation.metrics),
        "test_dataset": evaluation.test_dataset,
        "status": evaluation.status,
        "notes": evaluation.notes,
    }


def _records(folder: Path) -> Iterator[EvaluationRecord]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".json"))
    except OSError:  # no evaluation yet
        return
    for name in names:
        try:
            document = read_document(folder, name) or {}
        except UnreadableDocument:
            continue
        model, version, date = (document.get(key) for key in ("model_name", "model_version", "evaluation_date"))
        if isinstance(model, str) and isinstance(version, int) and isinstance(date, (int, float)):
            yield EvaluationRecord(name.removesuffix(".json"), model, version, float(date), document)
