"""What people do on the page of a version: describe it, move its stage and its aliases, delete it and bring it back.

Forms name the artifact's type and root, so that each means the very version that was on the page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from artifacts import views
from artifacts.access import get_version_for
from artifacts.forms import AliasForm, EditForm, StageForm, VersionForms
from artifacts.models import ArtifactVersion
from artifacts.queries.artifact_page import address_of, artifact_head
from artifacts.services import curation as services
from artifacts.templatetags.artifact_pages import STAGE_WORDS
from experiments.queries.shell import page_shell
from experiments.templatetags.runicorn_pages import byte_size
from runicorn.artifacts.removal import Freed
from runicorn.errors import ArtifactNotFound, Conflict, InvalidInput, NotFound, StorageDamaged, VersionNotFound

#: Refusals that a person can read and do something about; what else fails is the middleware's.
REFUSALS = (InvalidInput, NotFound, Conflict, StorageDamaged)


@require_POST
def edit(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Change description and tags."""
    version, form = views.version_from(request, name, number), EditForm(request.POST)

    def act() -> str:
        services.edit_version(version, form.edit(), at=time.time())
        return _("%(version)s saved.") % {"version": version}

    return _carry_out(request, version, act, form)


@require_POST
def move_stage(request: HttpRequest, name: str, number: int) -> HttpResponse:
    version, form = views.version_from(request, name, number), StageForm(request.POST)

    def act() -> str:
        move = form.move()
        services.move_stage(version, move, at=time.time())
        return _("%(version)s moved to %(stage)s.") % {"version": version, "stage": STAGE_WORDS[move.to_stage][0]}

    return _carry_out(request, version, act, form)


@require_POST
def set_alias(request: HttpRequest, name: str, number: int) -> HttpResponse:
    version, form = views.version_from(request, name, number), AliasForm(request.POST)

    def act() -> str:
        alias = form.cleaned_data["alias"]
        services.set_alias(version, alias, at=time.time())
        return _("%(alias)s names %(version)s.") % {"alias": alias, "version": version}

    return _carry_out(request, version, act, form)


@require_POST
def remove_alias(request: HttpRequest, name: str, number: int) -> HttpResponse:
    version, alias = views.version_from(request, name, number), request.POST.get("alias", "")

    def act() -> str:
        services.remove_alias_from(version, alias, at=time.time())
        return _("%(alias)s was taken from %(version)s.") % {"alias": alias, "version": version}

    return _carry_out(request, version, act)


@require_POST
def delete(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Put the version into the recycle bin."""
    version = views.version_from(request, name, number)

    def act() -> str:
        services.delete_version(version, at=time.time())
        return _("%(version)s is in the recycle bin.") % {"version": version}

    return _carry_out(request, version, act)


@require_POST
def restore(request: HttpRequest, name: str, number: int) -> HttpResponse:
    version = views.version_from(request, name, number)

    def act() -> str:
        services.restore_version(version, at=time.time())
        return _("%(version)s restored.") % {"version": version}

    return _carry_out(request, version, act)


@require_POST
def purge(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Delete a version of the recycle bin for ever. The first time it asks, with the bytes in sight."""
    version = views.version_from(request, name, number)
    if "confirmed" not in request.POST:
        return _ask_before_purge(request, version)

    def act() -> str:
        return _freed(version, services.purge_deleted_version(version, at=time.time()))

    return _carry_out(request, version, act)


def _ask_before_purge(request: HttpRequest, version: ArtifactVersion) -> HttpResponse:
    try:
        if not version.is_deleted:
            raise Conflict(f"{version} is not in the recycle bin; move it there first.")
        freed = services.freed_by_purging(version, at=time.time())
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(_nearest_page(request, version))
    context = {
        "shell": page_shell(now=time.time()),
        "head": artifact_head(version),
        "freed": freed,
        "going_bytes": freed.freed_bytes + freed.waiting_bytes,
    }
    return render(request, "artifacts/version_purge.html", context)


def _freed(version: ArtifactVersion, freed: Freed) -> str:
    sizes = {"version": version, "freed": byte_size(freed.freed_bytes)}
    text = _("%(version)s deleted for ever: %(freed)s freed.") % sizes
    if freed.waiting_bytes:
        text += " " + _("%(size)s more is freed by gc in a day.") % {"size": byte_size(freed.waiting_bytes)}
    if freed.shared_bytes:
        text += " " + _("%(size)s stays: other versions have it, too.") % {"size": byte_size(freed.shared_bytes)}
    return text


def _carry_out(
    request: HttpRequest, version: ArtifactVersion, act: Callable[[], str], form: Form | None = None
) -> HttpResponse:
    """Do it, say so, and go back to the page. act: returns the sentence.

    A refusal is told there, too; one of a form comes with the form as it was filled in.
    """
    try:
        if form is not None and not form.is_valid():
            return _refused(request, version, form, HTTPStatus.BAD_REQUEST)
        messages.success(request, act())
    except REFUSALS as error:
        if form is not None:
            form.add_error(None, str(error))
            is_wrong = isinstance(error, InvalidInput)
            return _refused(request, version, form, HTTPStatus.BAD_REQUEST if is_wrong else HTTPStatus.CONFLICT)
        messages.error(request, str(error))
    return redirect(_nearest_page(request, version))


def _refused(request: HttpRequest, version: ArtifactVersion, form: Form, status: HTTPStatus) -> HttpResponse:
    """The page as it is now: somebody else may have changed, or removed, the version. Raises NotFound."""
    now = views.version_from(request, version.artifact.name, version.number)
    if isinstance(form, EditForm):
        form.renew(now)
    return views.files_tab(request, now, forms=VersionForms.of(now, refused=form), status=status)


def _nearest_page(request: HttpRequest, version: ArtifactVersion) -> str:
    """The address of the version's tab that the form was on; of what is left around it, if the version is gone."""
    artifact = version.artifact
    try:
        get_version_for(request.user, artifact.name, version.number, type=artifact.type, root=artifact.root.key)
    except VersionNotFound:
        return reverse("artifact", args=[artifact.name]) + address_of(artifact)
    except ArtifactNotFound:
        return reverse("artifact_list")
    tab = views.TABS.get(request.POST.get("tab", ""), "artifact_version")
    return reverse(tab, args=[artifact.name, version.number]) + address_of(artifact)
