"""Versions in the admin: found, looked at, and curated, one by one or many at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from artifacts.admin.bulk import BULK_ACTIONS
from artifacts.admin.filters import VERSION_FILTERS
from artifacts.admin.forms import VersionForm
from artifacts.models import ArtifactVersion
from artifacts.queries.artifact_page import address_of
from artifacts.queries.identities import VersionIdentity, shown_versions, versions_called
from artifacts.services import curation
from artifacts.templatetags.artifact_pages import stage_mark, type_word
from experiments.admin.base import moment
from experiments.admin.curated import CuratedAdmin
from experiments.templatetags.runicorn_pages import byte_size


@admin.register(ArtifactVersion)
class VersionAdmin(CuratedAdmin):
    form = VersionForm
    bulk_actions = BULK_ACTIONS
    ask_template = "admin/artifacts/artifactversion/ask.html"
    list_display = ("title", "type", "state", "size", "named", "tag_list", "created", "maker", "condition")
    list_display_links = ("title",)
    list_filter = VERSION_FILTERS
    search_fields = ("description",)
    search_help_text = _("Name, type, aliases, description and the run that made it.")
    ordering = ("-created_at", "-pk")
    readonly_fields = (
        "title",
        "type",
        "root",
        "directory",
        "size",
        "created",
        "maker",
        "in_recycle_bin",
        "damage",
    )
    fieldsets = (
        (None, {"fields": VersionForm.Meta.fields}),
        (_("Version"), {"fields": readonly_fields}),
    )

    def identity_of(self, row: ArtifactVersion) -> str:
        return str(VersionIdentity.of(row))

    def rows_called(self, identities: Sequence[str]) -> list[ArtifactVersion]:
        return versions_called(identities)

    def bytes_of(self, rows: Sequence[ArtifactVersion]) -> int:
        return curation.bytes_freed_by_purging(rows, at=time.time())

    def save(self, row: ArtifactVersion, form: VersionForm, *, by: str | None, at: float) -> None:
        curation.edit_version(row, form.edit(), at=at)
        for alias in form.removed("aliases"):
            curation.remove_alias_from(row, alias, at=at)
        for alias in form.added("aliases"):
            curation.set_alias(row, alias, at=at)
        if (move := form.move()) is not None:
            curation.move_stage(row, move, at=at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArtifactVersion]:
        return shown_versions().prefetch_related("artifact__alias_rows")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ArtifactVersion], search_term: str
    ) -> tuple[QuerySet[ArtifactVersion], bool]:
        for word in search_term.split():
            queryset = queryset.filter(
                Q(artifact__search_text__contains=word.casefold())
                | Q(description__icontains=word)
                | Q(created_by_run__icontains=word)
            )
        return queryset, False

    def view_on_site(self, obj: ArtifactVersion) -> str:
        return reverse("artifact_version", args=[obj.artifact.name, obj.number]) + address_of(obj.artifact)

    @admin.display(description=_("version"), ordering="artifact__name")
    def title(self, version: ArtifactVersion) -> SafeString:
        return format_html("<code>{}</code>", str(version))

    @admin.display(description=_("type"), ordering="artifact__type")
    def type(self, version: ArtifactVersion) -> str:
        return str(type_word(version.artifact.type))

    @admin.display(description=_("storage root"))
    def root(self, version: ArtifactVersion) -> str:
        return version.artifact.root.key

    @admin.display(description=_("folder"))
    def directory(self, version: ArtifactVersion) -> str:
        return f"{version.artifact.root.path}/{version.folder}"

    @admin.display(description=_("stage"), ordering="stage")
    def state(self, version: ArtifactVersion) -> SafeString:
        return stage_mark(version.stage)

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, version: ArtifactVersion) -> str:
        return byte_size(version.size_bytes)

    @admin.display(description=_("aliases"))
    def named(self, version: ArtifactVersion) -> SafeString:
        own = (row.alias for row in version.artifact.alias_rows.all() if row.number == version.number)
        return _marks(own)

    @admin.display(description=_("tags"))
    def tag_list(self, version: ArtifactVersion) -> SafeString:
        return _marks(version.tags)

    @admin.display(description=_("created (UTC)"), ordering="created_at")
    def created(self, version: ArtifactVersion) -> str | None:
        return moment(version.created_at)

    @admin.display(description=_("created by"), ordering="created_by_run")
    def maker(self, version: ArtifactVersion) -> str:
        return version.created_by_run

    @admin.display(description=_("marks"))
    def condition(self, version: ArtifactVersion) -> str:
        words = ((version.deleted_at, _("deleted")), (version.problems, _("damaged")))
        return ", ".join(str(word) for is_set, word in words if is_set)

    @admin.display(description=_("in the recycle bin since (UTC)"))
    def in_recycle_bin(self, version: ArtifactVersion) -> str | None:
        return moment(version.deleted_at)

    @admin.display(description=_("problems"))
    def damage(self, version: ArtifactVersion) -> SafeString:
        return format_html_join("", "<p><code>{}</code> {}</p>", version.problems.items())


def _marks(texts: Iterable[str]) -> SafeString:
    return format_html_join(" ", '<span class="run-tag">{}</span>', ((text,) for text in texts))
