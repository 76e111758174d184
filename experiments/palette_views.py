"""What the command palette offers. Other apps have addresses of their own, which the palette asks as well."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from experiments.page_data import json_answer
from experiments.queries.palette import Offer, experiment_offers, project_offers, run_offers

MAX_CHARACTERS = 200


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    text = asked_text(request)
    groups = [
        (_("Runs"), run_offers(text)),
        (_("Projects"), project_offers(text)),
        (_("Experiments"), experiment_offers(text)),
    ]
    return offers_answer(request, groups if text else [])


def asked_text(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:MAX_CHARACTERS]


def offers_answer(request: HttpRequest, groups: Iterable[tuple[str, list[Offer]]]) -> HttpResponse:
    """The offers under their titles, empty groups left out."""
    shown = [{"title": title, "offers": offers} for title, offers in groups if offers]
    return json_answer(request, shown)
