"""Lists to find one's way: projects, experiments, problems. Their lines lead to the runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from experiments.admin.base import MirrorAdmin, column, moment
from experiments.admin.filters import ProjectFilter, RootFilter
from experiments.models import Experiment, Problem, Project
from experiments.queries.runs import RunIdentity

COUNTS = ("runs", "running", "failed", "in_recycle_bin", "newest")


class CountsAdmin(MirrorAdmin):
    """Projects and experiments: how many runs of which kind, with links to them."""

    def query_of(self, group: Any) -> dict[str, str]:
        """The filters of the list of runs that leave the runs of ``group``."""
        raise NotImplementedError

    @admin.display(description=_("runs"), ordering="run_count")
    def runs(self, group: Any) -> SafeString:
        return self._link(group, group.run_count)

    @admin.display(description=_("running"), ordering="running_count")
    def running(self, group: Any) -> SafeString:
        return self._link(group, group.running_count, status="running")

    @admin.display(description=_("failed"), ordering="failed_count")
    def failed(self, group: Any) -> SafeString:
        return self._link(group, group.failed_count, status="failed")

    @admin.display(description=_("in the recycle bin"), ordering="deleted_count")
    def in_recycle_bin(self, group: Any) -> SafeString:
        return self._link(group, group.deleted_count, deleted="yes")

    @admin.display(description=_("newest run"), ordering="newest_at")
    def newest(self, group: Any) -> str | None:
        return moment(group.newest_at)

    def _link(self, group: Any, count: int, **query: str) -> SafeString:
        address = f"{reverse('admin:experiments_run_changelist')}?{urlencode(self.query_of(group) | query)}"
        return format_html('<a href="{}">{}</a>', address, count) if count else format_html("{}", count)


@admin.register(Project)
class ProjectAdmin(CountsAdmin):
    list_display = (column("name", _("project")), "experiments", *COUNTS)
    search_fields = ("name",)

    def query_of(self, group: Project) -> dict[str, str]:
        return {"project": group.name}

    @admin.display(description=_("experiments"), ordering="experiment_count")
    def experiments(self, project: Project) -> SafeString:
        address = f"{reverse('admin:experiments_experiment_changelist')}?{urlencode({'project': project.name})}"
        return format_html('<a href="{}">{}</a>', address, project.experiment_count)


@admin.register(Experiment)
class ExperimentAdmin(CountsAdmin):
    list_display = (column("name", _("experiment")), column("project", _("project")), *COUNTS)
    list_filter = (ProjectFilter,)
    search_fields = ("name", "project")

    def query_of(self, group: Experiment) -> dict[str, str]:
        return {"project": group.project, "experiment": group.name}


@admin.register(Problem)
class ProblemAdmin(MirrorAdmin):
    """Files that could not be used. A mended or removed file leaves the list by itself."""

    list_display = (
        column("path", _("file")),
        column("root", _("storage root")),
        column("reason", _("reason")),
        "of_run",
        "seen",
    )
    list_filter = (RootFilter,)
    list_select_related = ("root", "run__root")
    search_fields = ("path", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Problem]:
        return Problem.objects.filter(root__enabled=True)

    @admin.display(description=_("run"))
    def of_run(self, problem: Problem) -> SafeString | None:
        if problem.run is None:
            return None
        return format_html('<a href="{}">{}</a>', run_address(RunIdentity.of(problem.run)), problem.run.run_id)

    @admin.display(description=_("seen since"), ordering="seen_at")
    def seen(self, problem: Problem) -> str | None:
        return moment(problem.seen_at)


def run_address(run: RunIdentity) -> str:
    """The page of one run in the admin."""
    return reverse("admin:experiments_run_change", args=[admin.utils.quote(str(run))])
