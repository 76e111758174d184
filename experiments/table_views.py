"""The runs table, and what it fetches while it is open."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url, reswap, trigger_client_event

from experiments.http.zones import zone_of
from experiments.models import StorageRoot
from experiments.page_data import integer_in
from experiments.queries.shell import page_shell
from experiments.queries.table.choice import DEFAULT_COLUMNS, TableChoice
from experiments.queries.table.completion import offers_for
from experiments.queries.table.field_list import fields_named
from experiments.queries.table.groups import group_table
from experiments.queries.table.page import RUNS_PER_PAGE, changed_rows, count_newer, run_table
from experiments.views import render_page, wants_fragment
from runicorn.errors import InvalidFilter, InvalidInput

#: The columns that were chosen last in this browser.
COLUMNS_COOKIE = "runicorn_columns"
#: Longer lists of columns stand in the address alone: browsers keep 4 KB of a cookie.
COLUMNS_COOKIE_CHARS = 3000
A_YEAR_S = 365 * 86400


@require_safe
@vary_on_headers("HX-Request")
def run_list(request: HttpRequest) -> HttpResponse:
    shell = page_shell(now=time.time())
    choice = choice_of(request)
    context = {"choice": choice, "roots": StorageRoot.objects.filter(enabled=True)}
    page_number = request.GET.get("page")
    try:
        if choice.group:
            context["groups"] = group_table(choice, page_number=page_number, now=shell.now, zone=zone_of(request))
        context["table"] = run_table(choice, page_number=page_number, now=shell.now, zone=zone_of(request))
    except InvalidFilter as error:
        if wants_fragment(request):
            return _mistake(error)
        context["mistake"] = error
    response = render_page(request, "run_list", shell, context, fragment="_run_table")
    _remember_columns(request, response)
    return response


@require_safe
def run_rows(request: HttpRequest) -> HttpResponse:
    """Fresh rows for ``keys`` (row keys with commas); X-Newer-Runs counts the runs after the row key ``newest``."""
    keys = [integer_in(text, "keys") for text in request.GET.get("keys", "").split(",") if text]
    newest = integer_in(request.GET.get("newest", "0"), "newest")
    shell, choice = page_shell(now=time.time()), choice_of(request)
    context = {"rows": changed_rows(choice, keys, now=shell.now), "choice": choice, "shell": shell}
    answer = render(request, "experiments/_run_rows.html", context)
    newer = count_newer(choice, newest_key=newest, now=shell.now, zone=zone_of(request))
    answer["X-Newer-Runs"] = str(newer)
    return answer


@require_safe
def run_group(request: HttpRequest) -> HttpResponse:
    """The lines inside of a group: the groups of the next field, or the first runs. ``depth`` counts from 1."""
    shell, choice = page_shell(now=time.time()), choice_of(request)
    context = {"choice": choice, "shell": shell, "depth": integer_in(request.GET.get("depth", "1"), "depth")}
    if choice.group:
        groups = group_table(choice, page_number=None, now=shell.now, zone=zone_of(request))
        return render(request, "experiments/_group_rows.html", context | {"groups": groups})
    table = run_table(choice, page_number=None, now=shell.now, zone=zone_of(request))
    context |= {"rows": table.rows, "table": table, "more": max(0, table.total - RUNS_PER_PAGE)}
    return render(request, "experiments/_group_runs.html", context)


@require_safe
def run_fields(request: HttpRequest) -> HttpResponse:
    """The column picker: what is shown, and what could be, by a search for its name."""
    search = request.GET.get("search", "").strip()[:200]
    context = {"choice": choice_of(request), "found": fields_named(search), "search": search}
    return render(request, "experiments/_field_picker.html", context)


@require_safe
def filter_offers(request: HttpRequest) -> HttpResponse:
    """What may stand at ``cursor`` in the filter ``text``, instead of what begins at ``begin``."""
    text = request.GET.get("text", "")[:4000]
    cursor = integer_in(request.GET.get("cursor", str(len(text))), "cursor")
    offers = offers_for(text, max(0, min(cursor, len(text))), now=time.time())
    return JsonResponse({"begin": offers.begin, "texts": offers.texts})


def choice_of(request: HttpRequest) -> TableChoice:
    """The choices in the address, and if it names no columns those that were chosen last. Raises InvalidInput."""
    try:
        return TableChoice.from_query(request.GET, columns=request.COOKIES.get(COLUMNS_COOKIE, ""))
    except InvalidInput:
        # the cookie may be from a version with other fields; an address that cannot be used is refused
        return TableChoice.from_query(request.GET)


def _mistake(error: InvalidFilter) -> HttpResponse:
    """The table stays as it is, the box says what is wrong."""
    response = push_url(reswap(HttpResponse(), "none"), False)
    return trigger_client_event(response, "runicorn:mistake", {"text": str(error)})


def _remember_columns(request: HttpRequest, response: HttpResponse) -> None:
    columns = request.GET.get("columns", "")
    if columns == DEFAULT_COLUMNS:
        response.delete_cookie(COLUMNS_COOKIE)
    elif columns and len(columns) <= COLUMNS_COOKIE_CHARS:
        response.set_cookie(COLUMNS_COOKIE, columns, max_age=A_YEAR_S, httponly=True, samesite="Lax")
