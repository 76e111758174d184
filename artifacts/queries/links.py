"""What links to artifacts and to their runs need, so that each leads to the very one that is meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count

from artifacts.models import Artifact
from artifacts.queries.artifacts import slices
from experiments.models import Run
from experiments.queries.shown_runs import ambiguous_ids, run_address


@dataclass(frozen=True)
class RunLink:
    """A run that a page names. address: the query its link needs. is_there: whether there is a page to link to."""

    run_id: str
    title: str
    address: str = ""
    is_there: bool = True
    color_number: int = 0


def run_links(named: Iterable[tuple[int, str]]) -> dict[tuple[int, str], RunLink]:
    """A link for each (StorageRoot.pk, run id); a run that is not in that root, or in the recycle bin, has no page."""
    wanted = set(named)
    found: dict[tuple[int, str], Run] = {}
    for some in slices({run_id for _, run_id in wanted}):
        runs = Run.objects.filter(run_id__in=some, root__enabled=True, deleted_at=None)
        for run in runs.select_related("root").order_by("created_at"):
            found[run.root_id, run.run_id] = run
    ambiguous = ambiguous_ids({run_id for _, run_id in found})
    links = {key: RunLink(key[1], key[1], is_there=False) for key in wanted}
    for key, run in found.items():
        if key in wanted:
            address = run_address(run, ambiguous=run.run_id in ambiguous)
            links[key] = RunLink(run.run_id, run.display_name or run.run_id, address, color_number=run.color_number)
    return links


def ambiguous_names(names: Collection[str]) -> set[str]:
    """Those names that more than one artifact of the enabled roots has: their links must say which."""
    found: set[str] = set()
    for some in slices(names):
        same = Artifact.objects.filter(name__in=some, root__enabled=True).order_by().values("name")
        found |= set(same.annotate(count=Count("pk")).filter(count__gt=1).values_list("name", flat=True))
    return found


def artifact_address(type_: str, root: str, *, is_ambiguous: bool) -> str:
    """The query that a link to an artifact needs: none, unless its name is not the only one. root: its key."""
    return query_of({"type": type_, "root": root}) if is_ambiguous else ""


def query_of(choices: Mapping[str, str]) -> str:
    """The query of an address; what is empty is left out."""
    pairs = urlencode([(name, value) for name, value in choices.items() if value])
    return f"?{pairs}" if pairs else ""
