"""The page of the recycle bin: what is in it, bringing it back, and deleting it for ever after being asked."""

from __future__ import annotations

import time
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from experiments.access import get_runs_for
from experiments.models import Run
from experiments.queries.recycle_bin import bytes_of, deleted_runs, recycle_bin_page
from experiments.queries.runs import RunIdentity, identities_in, identities_text
from experiments.queries.shell import page_shell
from experiments.services.outcomes import Outcome
from experiments.services.recycle_bin import bring_back, purge_runs
from experiments.views import wants_fragment

#: Runs that the page before deleting names; the others are counted.
NAMED_RUNS = 50
NAMED_FAILURES = 5


@require_safe
@vary_on_headers("HX-Request")
def recycle_bin(request: HttpRequest) -> HttpResponse:
    context = {"shell": page_shell(now=time.time()), "bin": recycle_bin_page(page_number=request.GET.get("page"))}
    name = "_recycle_bin" if wants_fragment(request) else "recycle_bin"
    return render(request, f"experiments/{name}.html", context)


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Bring the chosen runs back."""
    outcomes = bring_back(_chosen(request), at=time.time())
    _tell(request, outcomes, ngettext("%(count)s run restored.", "%(count)s runs restored.", _done(outcomes)))
    return redirect("recycle_bin")


@require_POST
def purge(request: HttpRequest) -> HttpResponse:
    """Delete the chosen runs for ever, or all. The first time it asks, with the bytes in sight."""
    runs = deleted_runs(root=None) if "all" in request.POST else _chosen(request)
    if not runs:
        return redirect("recycle_bin")
    if "confirmed" not in request.POST:
        context = {
            "shell": page_shell(now=time.time()),
            "runs": runs[:NAMED_RUNS],
            "more": max(0, len(runs) - NAMED_RUNS),
            "count": len(runs),
            "size": bytes_of(runs),
            # what is confirmed is what was shown: runs that are deleted meanwhile are not among it
            "identities": identities_text(runs),
        }
        return render(request, "experiments/recycle_bin_purge.html", context)
    outcomes = purge_runs(runs, at=time.time())
    text = ngettext("%(count)s run deleted for ever.", "%(count)s runs deleted for ever.", _done(outcomes))
    _tell(request, outcomes, text)
    return redirect("recycle_bin")


def _chosen(request: HttpRequest) -> list[Run]:
    """The runs that the form's check boxes or hidden field name and that are in the recycle bin."""
    ticked = [RunIdentity.from_text(value) for value in request.POST.getlist("run")]
    runs = get_runs_for(request.user, ticked + identities_in(request.POST.get("runs", "[]")))
    return [run for run in runs if run.deleted_at is not None]


def _done(outcomes: Mapping[RunIdentity, Outcome]) -> int:
    return sum(error is None for error in outcomes.values())


def _tell(request: HttpRequest, outcomes: Mapping[RunIdentity, Outcome], text: str) -> None:
    if not outcomes:
        messages.warning(request, _("Choose runs first."))
        return
    messages.success(request, text % {"count": _done(outcomes)})
    failed = [f"{run.path}: {error}" for run, error in outcomes.items() if error is not None]
    for sentence in failed[:NAMED_FAILURES]:
        messages.error(request, sentence)
