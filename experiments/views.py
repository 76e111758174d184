"""The pages. What they fetch while they are open is in page_data.py."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from experiments.access import get_run_for, run_directory
from experiments.forms import RunForm
from experiments.http.zones import zone_of
from experiments.logs.pages import log_at_end
from experiments.markdown import render_markdown
from experiments.models import Run, StorageRoot
from experiments.queries import run_page
from experiments.queries.overview import overview
from experiments.queries.run_files import files_of
from experiments.queries.runs import RunIdentity
from experiments.queries.shell import Shell, page_shell
from experiments.queries.trees import tree_of
from runicorn.storage import layout

#: Lines a log page begins with; older ones are fetched when the reader scrolls up to them.
LOG_LINES = 500
MAX_AXIS_METRICS = 100
#: Environment entries that the overview shows in a section of their own.
_APART = frozenset({"pip_packages", "conda_packages"})


@require_safe
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    shell = page_shell(now=time.time())
    context = {
        "overview": overview(now=shell.now, zone=zone_of(request)),
        "roots": StorageRoot.objects.filter(enabled=True),
    }
    return render_page(request, "home", shell, context, fragment="_home")


@require_safe
@vary_on_headers("HX-Request")
def run_charts(request: HttpRequest, run_id: str) -> HttpResponse:
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    sections = run_page.metric_sections(run)
    return run_tab(request, shell, run, "charts", {"sections": sections, "axis_metrics": axis_metrics(sections)})


def axis_metrics(sections: list[run_page.MetricSection]) -> list[str]:
    """The metrics that a chart may have as its x axis; more than these make no list to choose from."""
    return [card.name for section in sections for card in section.cards][:MAX_AXIS_METRICS]


@require_safe
@vary_on_headers("HX-Request")
def run_overview(request: HttpRequest, run_id: str) -> HttpResponse:
    return overview_tab(request, run_from(request, run_id))


def overview_tab(request: HttpRequest, run: Run, *, refused: RunForm | None = None) -> HttpResponse:
    """refused: the form as it was filled in, which could not be saved."""
    shell, documents = page_shell(now=time.time()), run_page.documents_of(run)
    environment = {key: value for key, value in (documents.environment or {}).items() if key not in _APART}
    context = {
        "documents": documents,
        "config": tree_of(documents.config),
        "summary": tree_of(documents.summary),
        "environment": tree_of(environment),
        "git": run_page.git_state(documents.environment),
        "notes": render_markdown(documents.notes),
        "form": refused or RunForm(instance=Run.objects.select_related("root", "detail").get(pk=run.pk)),
        "refused": refused is not None,
        "identity": str(RunIdentity.of(run)),
    }
    return run_tab(request, shell, run, "overview", context)


@require_safe
@vary_on_headers("HX-Request")
def run_logs(request: HttpRequest, run_id: str) -> HttpResponse:
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    log = log_at_end(run_directory(run), request.GET.get("file") or layout.LOGS, lines=LOG_LINES)
    return run_tab(request, shell, run, "logs", {"log": log})


@require_safe
@vary_on_headers("HX-Request")
def run_media(request: HttpRequest, run_id: str) -> HttpResponse:
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    images = run_page.image_page(run, page_number=request.GET.get("page"))
    return run_tab(request, shell, run, "media", {"images": images})


@require_safe
@vary_on_headers("HX-Request")
def run_files(request: HttpRequest, run_id: str) -> HttpResponse:
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    return run_tab(request, shell, run, "files", {"files": files_of(run)})


@require_safe
@vary_on_headers("HX-Request")
def run_alerts(request: HttpRequest, run_id: str) -> HttpResponse:
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    alerts = run_page.alert_page(run, page_number=request.GET.get("page"))
    return run_tab(request, shell, run, "alerts", {"alerts": alerts})


@require_safe
def run_head(request: HttpRequest, run_id: str) -> HttpResponse:
    """What stands above the tabs, alone: fetched again when the run changed."""
    head = run_page.run_head(run_from(request, run_id))
    return render(request, "experiments/_run_head.html", {"head": head, "shell": page_shell(now=time.time())})


@require_safe
@vary_on_headers("HX-Request")
def problems(request: HttpRequest) -> HttpResponse:
    shell = page_shell(now=time.time())
    problems_shown = run_page.problem_page(page_number=request.GET.get("page"))
    return render_page(request, "problems", shell, {"problems": problems_shown}, fragment="_problems")


def run_from(request: HttpRequest, run_id: str) -> Run:
    """The run that the address names. Raises RunNotFound."""
    return get_run_for(request.user, run_id, root=request.GET.get("root"), path=request.GET.get("path"))


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page: neither a boosted link nor a page restored from history."""
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django-htmx's middleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def run_tab(
    request: HttpRequest, shell: Shell, run: Run, tab: str, context: dict[str, Any], *, panel: str | None = None
) -> HttpResponse:
    """A tab of the run page. panel: the template below the tabs, for one that another app adds."""
    context |= {"head": run_page.run_head(run), "tab": tab, "panel": panel or f"experiments/_{tab}.html"}
    return render_page(request, "run", shell, context, fragment="_run_tab")


def render_page(
    request: HttpRequest, name: str, shell: Shell, context: dict[str, Any], *, fragment: str
) -> HttpResponse:
    """The page, or the part of it that htmx asks for."""
    template = fragment if wants_fragment(request) else name
    return render(request, f"experiments/{template}.html", context | {"shell": shell})
