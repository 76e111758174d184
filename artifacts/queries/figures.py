"""How much the artifacts of the shown storage roots are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.db.models import Aggregate, Count, QuerySet, Sum

from artifacts.models import Artifact, ArtifactFile, ArtifactVersion
from experiments.queries.runs import root_places
from runicorn.artifacts.statistics import ArtifactFigures, TypeFigures, artifacts_disk_bytes


def artifact_figures(*, root: str | None) -> ArtifactFigures:
    """Counts and sizes from the index, the space on the disk from the disk; of all enabled roots, or of one."""
    roots = {pk: place for pk, place in root_places().items() if place.enabled and root in (None, place.key)}
    counts = dict(_by_type(Artifact.objects.filter(root__in=roots), "type", Count("pk")))
    versions = dict(_by_type(ArtifactVersion.objects.filter(artifact__root__in=roots), "artifact__type", Count("pk")))
    files = ArtifactFile.objects.filter(artifact__root__in=roots)
    sizes = Counter(dict(_by_type(files, "artifact__type", Sum("size"))))
    by_type = {type_: TypeFigures(counts[type_], versions.get(type_, 0), sizes[type_]) for type_ in sorted(counts)}
    disk_bytes = sum(artifacts_disk_bytes(Path(place.path)) for place in roots.values())
    return ArtifactFigures(files.count(), disk_bytes, by_type)


def _by_type(rows: QuerySet[Any], column: str, figure: Aggregate) -> list[tuple[str, int]]:
    return list(rows.order_by().values_list(column).annotate(figure))
