"""A list to find one's way: artifacts, each with a link to its versions."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from artifacts.admin.filters import TypeFilter
from artifacts.models import Artifact
from experiments.admin.base import MirrorAdmin, column, moment
from experiments.admin.filters import RootFilter
from experiments.templatetags.runicorn_pages import byte_size


@admin.register(Artifact)
class ArtifactAdmin(MirrorAdmin):
    list_display = (
        column("name", _("artifact")),
        column("type", _("type")),
        column("root", _("storage root")),
        "versions",
        "latest",
        "size",
        "changed",
    )
    list_filter = (TypeFilter, RootFilter)
    list_select_related = ("root",)
    search_fields = ("search_text",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Artifact]:
        return Artifact.objects.filter(root__enabled=True).defer("marks")

    @admin.display(description=_("versions"), ordering="version_count")
    def versions(self, artifact: Artifact) -> SafeString:
        query = urlencode({"q": artifact.name, "type": artifact.type})
        address = f"{reverse('admin:artifacts_artifactversion_changelist')}?{query}"
        return format_html('<a href="{}">{}</a>', address, artifact.version_count)

    @admin.display(description=_("latest"))
    def latest(self, artifact: Artifact) -> str:
        return "" if artifact.latest_version is None else f"v{artifact.latest_version}"

    @admin.display(description=_("size of the latest"), ordering="latest_size_bytes")
    def size(self, artifact: Artifact) -> str:
        return byte_size(artifact.latest_size_bytes)

    @admin.display(description=_("changed (UTC)"), ordering="updated_at")
    def changed(self, artifact: Artifact) -> str | None:
        return moment(artifact.updated_at)
