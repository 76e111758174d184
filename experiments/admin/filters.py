"""What narrows the admin's list of runs. None of them counts: that would read the whole table once a filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from experiments.models import Run, RunTag, StorageRoot
from experiments.queries.runs import in_roots, root_places
from experiments.templatetags.runicorn_pages import STATE_WORDS

#: Choices that one filter offers; more are reached by searching.
MAX_CHOICES = 50
Choices = Iterable[tuple[str, Any]]


def _shown_runs() -> QuerySet[Run]:
    """Those of enabled roots, in the recycle bin or not."""
    return in_roots(Run.objects.all(), None, root_places())


class RunFilter(admin.SimpleListFilter):
    """A filter by one query parameter; those of project and root also serve lists of what has these columns."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        raise NotImplementedError

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        value = self.value()
        return queryset if value is None else self.matching(queryset, value)


class StateFilter(RunFilter):
    title, parameter_name = _("status"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(state, word) for state, (word, _shape) in STATE_WORDS.items()]

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        if value in ("running", "silent"):
            return runs.filter(status=Run.Status.RUNNING, silent=value == "silent")
        return runs.filter(status=value)


class ProjectFilter(RunFilter):
    title, parameter_name = _("project"), "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names = _shown_runs().order_by("project").values_list("project", flat=True).distinct()
        return [(name or "", name or "–") for name in names[:MAX_CHOICES]]

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        is_none = runs.model is Run and not value  # the views write "" for none
        return runs.filter(project=None if is_none else value)


class ExperimentFilter(RunFilter):
    """Of the chosen project; without one there would be too many."""

    title, parameter_name = _("experiment"), "experiment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        project = request.GET.get("project")
        if project is None:
            return []
        runs = _shown_runs().filter(project=project or None)
        names = runs.order_by("name").values_list("name", flat=True).distinct()
        return [(name or "", name or "–") for name in names[:MAX_CHOICES]]

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        return runs.filter(name=value) if value else runs.filter(name=None)


class TagFilter(RunFilter):
    """The most used tags."""

    title, parameter_name = _("tag"), "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        hidden = [pk for pk, place in root_places().items() if not place.enabled]
        tags = RunTag.objects.exclude(run__root__in=hidden) if hidden else RunTag.objects.all()
        tags = tags.values("tag").annotate(count=Count("pk")).order_by("-count", "tag")
        return [(row["tag"], row["tag"]) for row in tags[:MAX_CHOICES]]

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        return runs.filter(pk__in=RunTag.objects.filter(tag=value).values("run_id"))


class RootFilter(RunFilter):
    title, parameter_name = _("storage root"), "root"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        keys = list(StorageRoot.objects.filter(enabled=True).values_list("key", flat=True))
        return [(key, key) for key in keys] if len(keys) > 1 else []

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        return runs.filter(root__key=value)


class YesOrNoFilter(RunFilter):
    """A column that is on or off."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("yes")), ("no", _("no"))]

    def matching(self, runs: QuerySet[Run], value: str) -> QuerySet[Run]:
        return runs.filter(**{str(self.parameter_name): value == "yes"})


class ArchivedFilter(YesOrNoFilter):
    title, parameter_name = _("archived"), "archived"


class PinnedFilter(YesOrNoFilter):
    title, parameter_name = _("pinned"), "pinned"


class RecycleBinFilter(RunFilter):
    """Runs in the recycle bin are left out unless asked for."""

    title, parameter_name = _("recycle bin"), "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("in the recycle bin")), ("all", _("both"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("not in the recycle bin")}
        yield from others


RUN_FILTERS = (
    StateFilter,
    ProjectFilter,
    ExperimentFilter,
    TagFilter,
    RootFilter,
    ArchivedFilter,
    PinnedFilter,
    RecycleBinFilter,
)
