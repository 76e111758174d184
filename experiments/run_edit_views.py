"""What people change on the page of a run."""

from __future__ import annotations

import time
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from experiments.access import get_runs_for, name_of
from experiments.forms import RunForm
from experiments.models import Run
from experiments.queries.runs import RunIdentity
from experiments.services.curation import edit_run
from experiments.views import overview_tab, run_from
from runicorn.errors import Conflict, InvalidInput, StorageDamaged
from runicorn.storage.curation import Edit


@require_POST
def edit(request: HttpRequest, run_id: str) -> HttpResponse:
    """Save name, tags, notes and the like; what is refused is told beside what was typed."""
    run = run_from(request, run_id)
    # a form of a model writes what was typed into its row's object: one of its own
    form = RunForm(request.POST, instance=Run.objects.select_related("root", "detail").get(pk=run.pk))
    status = HTTPStatus.BAD_REQUEST
    if form.is_valid():
        try:
            edit_run(run, form.edit(), by=name_of(request.user), at=time.time())
        except (InvalidInput, Conflict, StorageDamaged) as error:
            form.add_error(None, str(error))
            status = HTTPStatus.BAD_REQUEST if isinstance(error, InvalidInput) else HTTPStatus.CONFLICT
        else:
            messages.success(request, _("Saved."))
            query = request.GET.urlencode()
            return redirect(reverse("run_overview", args=[run.run_id]) + (f"?{query}" if query else ""))
    response = overview_tab(request, run_from(request, run_id), refused=form)
    response.status_code = status
    return response


@require_POST
def color(request: HttpRequest) -> HttpResponse:
    """Give ``run`` the ``color``, or with none that of its id again, and go ``back`` to a page of ours."""
    for run in get_runs_for(request.user, [RunIdentity.from_text(request.POST.get("run", ""))]):
        edit_run(run, Edit(color=request.POST.get("color", "")), by=name_of(request.user), at=time.time())
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else reverse("run_list"))
