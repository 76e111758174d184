"""Runs in the admin: found, looked at, and curated, one by one or many at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import orjson
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from experiments.admin.base import column, moment
from experiments.admin.bulk import BULK_ACTIONS
from experiments.admin.curated import CuratedAdmin
from experiments.admin.filters import RUN_FILTERS
from experiments.forms import RunForm
from experiments.models import Problem, Run
from experiments.queries.recycle_bin import bytes_of
from experiments.queries.runs import RunIdentity, in_roots, root_places, runs_at
from experiments.queries.shown_runs import state_of
from experiments.services.curation import edit_run
from experiments.templatetags.runicorn_pages import state_mark

TEXT = column("description", _("description"))


@admin.register(Run)
class RunAdmin(CuratedAdmin):
    form = RunForm
    bulk_actions = BULK_ACTIONS
    ask_template = "admin/experiments/run/ask.html"
    list_display = ("title", "place", "state", "created", "tag_list", TEXT, "marks", "problem_count")
    list_display_links = ("title",)
    list_filter = RUN_FILTERS
    search_fields = ("search_text",)
    search_help_text = _("Project, experiment, name, id, description and tags.")
    readonly_fields = (
        column("run_id", _("run id")),
        "place",
        column("directory", _("folder"), is_sortable=False),
        "state",
        "created",
        "ended",
        "best",
        "in_recycle_bin",
        "problems",
    )
    fieldsets = (
        (None, {"fields": RunForm.Meta.fields}),
        (_("Run"), {"fields": readonly_fields}),
    )

    def identity_of(self, row: Run) -> str:
        return str(RunIdentity.of(row))

    def rows_called(self, identities: Sequence[str]) -> list[Run]:
        return runs_at(RunIdentity.from_text(identity) for identity in identities)

    def bytes_of(self, rows: Sequence[Run]) -> int:
        return bytes_of(rows)

    def save(self, row: Run, form: RunForm, *, by: str | None, at: float) -> None:
        edit_run(row, form.edit(), by=by, at=at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        counts = Problem.objects.filter(run=OuterRef("pk")).order_by().values("run").annotate(count=Count("pk"))
        runs = in_roots(Run.objects.select_related("root"), None, root_places())
        return runs.annotate(problem_count=Coalesce(Subquery(counts.values("count")), 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        for word in search_term.split():
            queryset = queryset.filter(search_text__contains=word.casefold())
        return queryset, False

    @admin.display(description=_("run"), ordering="run_id")
    def title(self, run: Run) -> SafeString:
        name = format_html(" <small>{}</small>", run.display_name) if run.display_name else ""
        return format_html("<code>{}</code>{}", run.run_id, name)

    @admin.display(description=_("project / experiment"), ordering="project")
    def place(self, run: Run) -> str:
        return " / ".join(filter(None, (run.project, run.name)))

    @admin.display(description=_("status"))
    def state(self, run: Run) -> SafeString:
        return state_mark(state_of(run), run.last_sign_at, time.time(), in_full=True)

    @admin.display(description=_("created (UTC)"), ordering="created_at")
    def created(self, run: Run) -> str | None:
        return moment(run.created_at)

    @admin.display(description=_("ended (UTC)"))
    def ended(self, run: Run) -> str | None:
        return moment(run.ended_at)

    @admin.display(description=_("tags"))
    def tag_list(self, run: Run) -> SafeString:
        return format_html_join(" ", '<span class="run-tag">{}</span>', ((tag,) for tag in orjson.loads(run.tags)))

    @admin.display(description=_("marks"))
    def marks(self, run: Run) -> str:
        words = ((run.pinned, _("pinned")), (run.archived, _("archived")), (run.deleted_at, _("deleted")))
        return ", ".join(str(word) for is_set, word in words if is_set)

    @admin.display(description=_("problems"))
    def problem_count(self, run: Run) -> int | str:
        return getattr(run, "problem_count", 0) or ""

    @admin.display(description=_("best metric"))
    def best(self, run: Run) -> str:
        return "" if run.best_metric_value is None else f"{run.best_metric_name} {run.best_metric_value:.4g}"

    @admin.display(description=_("in the recycle bin since (UTC)"))
    def in_recycle_bin(self, run: Run) -> str | None:
        return moment(run.deleted_at)

    @admin.display(description=_("problems"))
    def problems(self, run: Run) -> SafeString:
        rows = ((problem.path, problem.reason) for problem in run.problems.all())
        return format_html_join("", "<p><code>{}</code> {}</p>", rows)
