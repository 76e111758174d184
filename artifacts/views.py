"""The pages of artifacts."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from artifacts.queries.artifact_table import ArtifactFilter, artifact_table
from experiments.models import StorageRoot
from experiments.queries.shell import Shell, page_shell
from experiments.views import wants_fragment


@require_safe
@vary_on_headers("HX-Request")
def artifact_list(request: HttpRequest) -> HttpResponse:
    shell = page_shell(now=time.time())
    table = artifact_table(ArtifactFilter.from_query(request.GET), page_number=request.GET.get("page"))
    context = {"table": table, "roots": StorageRoot.objects.filter(enabled=True)}
    return _page(request, "artifact_list", shell, context, fragment="_artifact_table")


def _page(request: HttpRequest, name: str, shell: Shell, context: dict[str, Any], *, fragment: str) -> HttpResponse:
    template = fragment if wants_fragment(request) else name
    return render(request, f"artifacts/{template}.html", context | {"shell": shell})
