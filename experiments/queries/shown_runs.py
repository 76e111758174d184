"""What pages say of runs wherever they show some: which are to be seen, their state, their links."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

import orjson
from django.db.models import Count, QuerySet

from experiments.models import Run
from experiments.queries.runs import in_roots, root_places

#: Words of the status filter. "silent" is ours: running on disk, and no sign of life.
STATES = ("running", "silent", "finished", "failed", "interrupted")
#: More words than this in a search box are a pasted text, not a search.
MAX_SEARCH_WORDS = 20


def search_words(text: str) -> list[str]:
    """What a search box asks for, folded as ``search_text`` is."""
    return text.casefold().split()[:MAX_SEARCH_WORDS]


def visible_runs() -> QuerySet[Run]:
    """All runs but those in the recycle bin and in roots that are switched off."""
    return in_roots(Run.objects.filter(deleted_at=None), None, root_places())


def ambiguous_ids(run_ids: Iterable[str]) -> set[str]:
    """Those ids that more than one run directory has: their links must say which."""
    runs = in_roots(Run.objects.filter(run_id__in=run_ids), None, root_places())
    same = runs.order_by().values("run_id").annotate(directories=Count("pk"))
    return set(same.filter(directories__gt=1).values_list("run_id", flat=True))


def run_address(run: Run, *, ambiguous: bool) -> str:
    """The query that a link to this run needs: none, unless its id is not unique."""
    return "?" + urlencode({"root": run.root.key, "path": run.path}) if ambiguous else ""


def state_of(run: Run) -> str:
    """The word of STATES for this run."""
    return "silent" if run.silent and run.status == Run.Status.RUNNING else run.status


def stopped_at(run: Run) -> float | None:
    """When a run that runs no longer (or gives no sign) did its last thing, as far as the files tell."""
    return run.ended_at if run.ended_at is not None else run.last_sign_at


def tags_of(run: Run) -> tuple[str, ...]:
    """The run's tags in the order people gave them."""
    return tuple(orjson.loads(run.tags))
