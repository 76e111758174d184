"""Reads of projects and the experiments in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max

from experiments.models import Run
from experiments.queries.runs import in_roots, root_places


@dataclass(frozen=True)
class ProjectFigures:
    """experiment_count: runs outside the recycle bin, which is what the reference counts.

    latest_update: Unix seconds of the newest change of any of their files.
    """

    name: str
    experiment_count: int
    latest_update: float


def projects(*, root: str | None) -> list[ProjectFigures]:
    """The projects that have a run outside the recycle bin, by name; in all enabled roots, or in one.

    Runs of 0.1 that name no project belong to none.
    """
    runs = in_roots(Run.objects.filter(deleted_at=None, project__isnull=False), root, root_places())
    rows = runs.order_by().values_list("project").annotate(Count("pk"), Max("updated_at"))
    # sorted here: databases differ in what they call sorted
    return sorted((ProjectFigures(*row) for row in rows), key=lambda figures: figures.name)


def experiment_names(project: str, *, root: str | None) -> list[str]:
    """The names of a project's experiments that have a run outside the recycle bin, sorted; none if it is unknown."""
    runs = in_roots(Run.objects.filter(deleted_at=None, project=project, name__isnull=False), root, root_places())
    names = runs.order_by().values_list("name", flat=True).distinct()
    return sorted(name for name in names if name is not None)
