"""What the command palette finds by a few words: runs, projects and experiments."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from experiments.models import Experiment, Project
from experiments.queries.shown_runs import ambiguous_ids, run_address, search_words, state_of, visible_runs

MAX_RUNS = 8
MAX_PLACES = 5


@dataclass(frozen=True)
class Offer:
    """A line of the palette: what it is called, what tells it apart, where it leads."""

    label: str
    hint: str
    href: str


def run_offers(text: str) -> list[Offer]:
    """The newest runs whose name, project, experiment, id, tags or description hold each of the words."""
    found = visible_runs().filter(*(Q(search_text__contains=word) for word in search_words(text)))
    runs = list(found.select_related("root").order_by("-created_at", "-pk")[:MAX_RUNS])
    ambiguous = ambiguous_ids(run.run_id for run in runs)
    return [
        Offer(
            run.display_name or run.run_id,
            " / ".join(filter(None, (run.project, run.name, state_of(run)))),
            reverse("run_charts", args=[run.run_id]) + run_address(run, ambiguous=run.run_id in ambiguous),
        )
        for run in runs
    ]


def project_offers(text: str) -> list[Offer]:
    """The projects whose name holds each of the words, those with the newest run first."""
    words = search_words(text)
    found = Project.objects.filter(run_count__gt=0).order_by("-newest_at", "name")
    return [
        Offer(project.name, "", f"{reverse('run_list')}?{urlencode({'project': project.name})}")
        for project in found
        if project.name and _holds(project.name, words)
    ][:MAX_PLACES]


def experiment_offers(text: str) -> list[Offer]:
    """As project_offers; a word may be of the project."""
    words = search_words(text)
    found = Experiment.objects.filter(run_count__gt=0).order_by("-newest_at", "key")
    return [
        Offer(
            one.name,
            one.project,
            f"{reverse('run_list')}?{urlencode({'project': one.project, 'experiment': one.name})}",
        )
        for one in found
        if one.project and one.name and _holds(one.key, words)
    ][:MAX_PLACES]


def _holds(name: str, words: list[str]) -> bool:
    # in Python: databases differ in what they call another case
    return all(word in name.casefold() for word in words)
