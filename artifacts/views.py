"""The pages of artifacts. What people do on them is in curation_views.py."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from artifacts.access import artifacts_called, get_artifact_for, get_version_for
from artifacts.forms import VersionForms
from artifacts.models import ArtifactVersion
from artifacts.queries.artifact_page import artifact_head, file_page, version_documents, version_table
from artifacts.queries.artifact_table import ArtifactFilter, artifact_table, offers_of
from artifacts.queries.artifacts import newest_version
from artifacts.queries.comparison import file_differences, metadata_differences, other_version
from artifacts.queries.lineage_page import lineage_page
from artifacts.queries.links import query_of
from artifacts.queries.run_tab import run_artifact_tables
from experiments.models import StorageRoot
from experiments.palette_views import asked_text, offers_answer
from experiments.queries.shell import Shell, page_shell
from experiments.queries.trees import tree_of
from experiments.views import run_from, run_tab, wants_fragment
from runicorn.errors import AmbiguousArtifact, VersionNotFound

#: What an address of an artifact may say besides which one is meant.
CHOICES = ("deleted", "versions", "match", "page", "with", "depth")
#: Those that mean another version or tab.
PLACES = ("versions", "match", "page", "with", "depth")
#: The URL name of each tab.
TABS = {
    "files": "artifact_version",
    "metadata": "artifact_metadata",
    "compare": "artifact_compare",
    "lineage": "artifact_lineage",
}


@require_safe
@vary_on_headers("HX-Request")
def artifact_list(request: HttpRequest) -> HttpResponse:
    shell = page_shell(now=time.time())
    table = artifact_table(ArtifactFilter.from_query(request.GET), page_number=request.GET.get("page"))
    context = {"table": table, "roots": StorageRoot.objects.filter(enabled=True)}
    return _page(request, "artifact_list", shell, context, fragment="_artifact_table")


@require_safe
def artifact_offers(request: HttpRequest) -> HttpResponse:
    """What the command palette offers of artifacts."""
    text = asked_text(request)
    return offers_answer(request, [(gettext("Artifacts"), offers_of(text))] if text else [])


@require_safe
@vary_on_headers("HX-Request")
def artifact(request: HttpRequest, name: str) -> HttpResponse:
    """The newest version of the artifact, or if several artifacts are called so, which of them."""
    shell = page_shell(now=time.time())
    choice = artifact_choice(request)
    try:
        version = newest_version(get_artifact_for(request.user, name, **choice))
    except AmbiguousArtifact:
        context = {"name": name, "choices": artifacts_called(request.user, name, **choice)}
        return _page(request, "which_artifact", shell, context, fragment="which_artifact")
    return files_tab(request, version)


@require_safe
@vary_on_headers("HX-Request")
def artifact_version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    return files_tab(request, version_from(request, name, number))


@require_safe
@vary_on_headers("HX-Request")
def artifact_metadata(request: HttpRequest, name: str, number: int) -> HttpResponse:
    shell, version = page_shell(now=time.time()), version_from(request, name, number)
    context = {"metadata": tree_of(version.metadata), "documents": version_documents(version)}
    return _tab(request, shell, version, "metadata", context)


@require_safe
@vary_on_headers("HX-Request")
def artifact_compare(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The version beside ``?with=`` another one, by default the one before it."""
    shell, version = page_shell(now=time.time()), version_from(request, name, number)
    wanted = request.GET.get("with", "")
    if wanted and not re.fullmatch("[0-9]{1,9}", wanted):
        raise VersionNotFound(f"Version not found: {name}:v{wanted}")
    other = other_version(version, int(wanted) if wanted else None)
    context: dict[str, Any] = {"other": other}
    if other is not None:
        before, after = sorted((version, other), key=lambda one: one.number)
        context |= {
            "before": before,
            "after": after,
            "metadata": metadata_differences(before, after),
            "files": file_differences(before, after),
        }
    return _tab(request, shell, version, "compare", context)


@require_safe
@vary_on_headers("HX-Request")
def artifact_lineage(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What the version was made from and what was made from it, ``?depth=`` generations of versions each way."""
    shell, version = page_shell(now=time.time()), version_from(request, name, number)
    return _tab(
        request, shell, version, "lineage", {"lineage": lineage_page(version, depth=request.GET.get("depth", ""))}
    )


@require_safe
@vary_on_headers("HX-Request")
def run_artifacts(request: HttpRequest, run_id: str) -> HttpResponse:
    """The tab of a run's page that says which versions it created and used."""
    shell, run = page_shell(now=time.time()), run_from(request, run_id)
    context = {"artifacts": run_artifact_tables(run)}
    return run_tab(request, shell, run, "artifacts", context, panel="artifacts/_run_artifacts.html")


def version_from(request: HttpRequest, name: str, number: int) -> ArtifactVersion:
    """The version that the address names. Raises NotFound, AmbiguousArtifact."""
    return get_version_for(request.user, name, number, **artifact_choice(request))


def artifact_choice(request: HttpRequest) -> dict[str, str | None]:
    """Which of several artifacts of one name the address means."""
    return {key: request.GET.get(key) or None for key in ("type", "root")}


def files_tab(
    request: HttpRequest,
    version: ArtifactVersion,
    *,
    forms: VersionForms | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """The page of a version, with its files. forms: as they were filled in, if one of them was refused."""
    files = file_page(version, match=request.GET.get("match", ""), page_number=request.GET.get("page"))
    context: dict[str, Any] = {"files": files} | ({"forms": forms} if forms else {})
    response = _tab(request, page_shell(now=time.time()), version, "files", context)
    response.status_code = status
    return response


def _tab(
    request: HttpRequest, shell: Shell, version: ArtifactVersion, tab: str, context: dict[str, Any]
) -> HttpResponse:
    head = artifact_head(version)
    address = dict(parse_qsl(head.address.removeprefix("?")))
    choices = address | {name: request.GET[name] for name in CHOICES if name in request.GET}
    here = request.get_full_path()
    if request.method == "POST":  # a form that was refused, at an address that only takes forms
        here = reverse(TABS[tab], args=[version.artifact.name, version.number]) + head.own_address
    shows_deleted = request.GET.get("deleted") == "1" or version.is_deleted
    context = {
        "head": head,
        "forms": VersionForms.of(version),
        "versions": version_table(head, shows_deleted=shows_deleted, page_number=request.GET.get("versions")),
        "tab": tab,
        "tab_url": TABS[tab],
        "panel": f"artifacts/_{tab}.html",
        "here": here,
        "choices": choices,
        "query": query_of({name: value for name, value in choices.items() if name not in PLACES}),
        **context,
    }
    return _page(request, "artifact", shell, context, fragment="_artifact")


def _page(request: HttpRequest, name: str, shell: Shell, context: dict[str, Any], *, fragment: str) -> HttpResponse:
    template = fragment if wants_fragment(request) else name
    return render(request, f"artifacts/{template}.html", context | {"shell": shell})
