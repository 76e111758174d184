"""What can be done to the runs that are ticked in the table. Each answer says how it is undone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from experiments.access import get_runs_for, name_of
from experiments.models import Run
from experiments.queries.runs import RunIdentity
from experiments.services.curation import edit_runs, tags_in
from experiments.services.outcomes import Outcome
from experiments.services.recycle_bin import bring_back, move_to_recycle_bin
from runicorn.errors import InvalidInput
from runicorn.storage.curation import Edit

#: Why runs are in the recycle bin, as their marker says it.
REASON = "user_deleted"
MAX_RUNS = 1000
NAMED_FAILURES = 3


@require_POST
def tag(request: HttpRequest) -> HttpResponse:
    """Add ``add`` and take away ``remove``: tags with commas. Or ``edits``, which undo an earlier answer."""
    add, remove = (tags_in(request.POST.get(name, "").replace("，", ",")) for name in ("add", "remove"))
    edits = {RunIdentity.of(run): (add, remove) for run in _chosen(request)} or _edits_in(request.POST.get("edits", ""))
    outcomes: dict[RunIdentity, Outcome] = {}
    undo: list[tuple[str, list[str], list[str]]] = []
    for run in get_runs_for(request.user, edits):
        identity = RunIdentity.of(run)
        added, removed = edits[identity]
        had = set(run.tag_rows.values_list("tag", flat=True))
        edit = Edit(add_tags=added, remove_tags=removed)
        outcomes |= edit_runs([run], edit, by=name_of(request.user), at=time.time())
        # what this run had before stays when it is undone
        undo.append((str(identity), [tag for tag in removed if tag in had], [tag for tag in added if tag not in had]))
    text = ngettext("%(count)s run tagged.", "%(count)s runs tagged.", _done(outcomes))
    return _answer(request, outcomes, text, undo=("run_tag", {"edits": orjson.dumps(undo).decode()}) if undo else None)


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Move to the recycle bin."""
    outcomes = move_to_recycle_bin(_chosen(request), reason=REASON, at=time.time())
    moved = [str(run) for run, error in outcomes.items() if error is None]
    text = ngettext("%(count)s run is in the recycle bin.", "%(count)s runs are in the recycle bin.", len(moved))
    return _answer(request, outcomes, text, undo=("run_restore", {"run": moved}) if moved else None)


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Take out of the recycle bin again."""
    outcomes = bring_back(_chosen(request), at=time.time())
    text = ngettext("%(count)s run restored.", "%(count)s runs restored.", _done(outcomes))
    return _answer(request, outcomes, text, undo=None)


def _chosen(request: HttpRequest) -> list[Run]:
    identities = [RunIdentity.from_text(value) for value in request.POST.getlist("run")]
    if len(identities) > MAX_RUNS:
        raise InvalidInput(f"At most {MAX_RUNS} runs are changed at once.")
    return get_runs_for(request.user, identities)


def _edits_in(text: str) -> dict[RunIdentity, tuple[list[str], list[str]]]:
    """By run the tags to add and to remove, as an earlier answer of ``tag`` said. Raises InvalidInput."""
    try:
        return {
            RunIdentity.from_text(run): (list(add), list(remove)) for run, add, remove in orjson.loads(text or "[]")
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInput("What is to be undone is not understood; tag the runs again.") from error


def _done(outcomes: Mapping[RunIdentity, Outcome]) -> int:
    return sum(error is None for error in outcomes.values())


def _answer(
    request: HttpRequest,
    outcomes: Mapping[RunIdentity, Outcome],
    text: str,
    *,
    undo: tuple[str, Mapping[str, str | Sequence[str]]] | None,
) -> HttpResponse:
    """A toast; without JavaScript a message on the table."""
    failures = [f"{run.path}: {error}" for run, error in outcomes.items() if error is not None]
    sentences = [text % {"count": _done(outcomes)} if outcomes else _("Choose runs first."), *failures[:NAMED_FAILURES]]
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx's middleware
        for sentence in sentences:
            messages.info(request, sentence)
        return redirect("run_list")
    toast: dict[str, Any] = {"text": " ".join(sentences)}
    if undo is not None:
        toast["undo"] = {"url": reverse(undo[0]), "values": undo[1]}
    return trigger_client_event(HttpResponse(status=204), "runicorn:toast", toast)
