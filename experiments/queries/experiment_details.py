"""``GET /api/v2/experiments/{id}``: one run, with figures of its metrics and files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from experiments.access import run_directory
from experiments.models import Run
from experiments.queries.metrics import metric_names, non_finite_counts, step_rows
from experiments.queries.run_search import experiment_item

#: Lock files of running scripts are no part of a run.
LOCK_SUFFIX = ".lock"


def experiment_details(run: Run) -> dict[str, Any]:
    """``run.root`` must be loaded."""
    row_count, steps = step_rows(run)
    return {
        "experiment": experiment_item(run),
        "metrics_summary": {
            "total_data_points": row_count,
            "available_metrics": metric_names(run),
            "step_range": steps and {"min": steps[0], "max": steps[1]},
            "non_finite_counts": non_finite_counts(run),
        },
        "environment_available": run.has_environment,
        "file_count": _file_count(run_directory(run)),
    }


def _file_count(folder: Path) -> int:
    """Files below the folder; links to folders are not followed, a folder that cannot be read has none."""
    return sum(not name.endswith(LOCK_SUFFIX) for _, _, names in os.walk(folder) for name in names)
