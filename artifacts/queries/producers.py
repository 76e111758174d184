"""How the runs that made an artifact's versions did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from artifacts.models import Artifact, ArtifactVersion
from artifacts.queries.artifacts import slices, versions_of
from experiments.models import Run
from runicorn.storage.values import number


def training_metrics(version: ArtifactVersion) -> dict[str, Any] | None:
    """The run that made the version, with its summary, as an API item; None if no run of the root is known to have."""
    run = _makers(version.artifact, [version.created_by_run]).get(version.created_by_run)
    if run is None:
        return None
    started_at = run.created_at if run.started_at is None else run.started_at
    return {
        "run_id": run.run_id,
        "run_name": run.name,
        "project": run.project,
        "metrics": run.detail.summary,
        "created_at": started_at,
        "duration_seconds": None if run.ended_at is None else run.ended_at - started_at,
        "status": run.status,
    }


def performance_history(artifact: Artifact, *, metric_name: str | None) -> list[dict[str, Any]]:
    """An API item of each version whose run is known, ascending; those in the recycle bin are left out.

    metric_name: give only this one, where the run's summary has it as a number.
    """
    versions = list(versions_of(artifact).filter(deleted_at=None).values_list("number", "created_by_run"))
    runs = _makers(artifact, {run_id for _, run_id in versions})
    return [
        {
            "version": version,
            "created_at": run.created_at if run.started_at is None else run.started_at,
            "run_id": run.run_id,
            "status": run.status,
            "metrics": {
                name: value
                for name, value in run.detail.summary.items()
                if metric_name in (None, name) and number(value) is not None
            },
        }
        for version, run_id in versions
        if (run := runs.get(run_id)) is not None
    ]


def _makers(artifact: Artifact, run_ids: Iterable[str]) -> dict[str, Run]:
    """The runs of the artifact's root by id, in the recycle bin or not; of several with one id the newest."""
    found: dict[str, Run] = {}
    for some in slices({run_id for run_id in run_ids if run_id}):
        runs = Run.objects.filter(root=artifact.root_id, run_id__in=some, detail__isnull=False)
        for run in runs.select_related("detail").order_by("created_at"):
            found[run.run_id] = run
    return found
