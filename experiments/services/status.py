"""Looking after runs whose process died."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.mirror.liveness import check_running_runs
from experiments.models import StorageRoot


@dataclass(frozen=True)
class StatusCheck:
    """How many running runs were looked at, and how many were found dead."""

    checked: int
    updated: int


def check_status(*, at: float) -> StatusCheck:
    """Apply the dead-process rule to every running run of every enabled root now. at: Unix seconds."""
    counts = [check_running_runs(root, now=at) for root in StorageRoot.objects.filter(enabled=True)]
    return StatusCheck(checked=sum(checked for checked, _ in counts), updated=sum(updated for _, updated in counts))
