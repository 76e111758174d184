"""Runs in the admin: found, looked at, and curated, one by one or many at once.

A run is named by storage root and path everywhere (addresses, check boxes, hidden fields, the audit log), never by
its row's number: after a ``reindex`` the number is another run's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from experiments.access import may_administer, name_of
from experiments.admin.audit import record
from experiments.admin.base import MirrorAdmin, column, moment
from experiments.admin.bulk import BULK_ACTIONS, MAX_RUNS
from experiments.admin.filters import RUN_FILTERS
from experiments.admin.forms import RunForm
from experiments.admin.overviews import run_address
from experiments.models import Problem, Run
from experiments.queries.recycle_bin import bytes_of
from experiments.queries.run_table import state_of
from experiments.queries.runs import RunIdentity, identities_in, identities_text, in_roots, root_places, runs_at
from experiments.services.curation import edit_run
from experiments.templatetags.runicorn_pages import state_mark
from runicorn.errors import RunicornError

#: Runs that a page before an action names; the others are counted.
NAMED_RUNS = 100
#: Failures that are told one by one.
NAMED_FAILURES = 10
TEXT = column("description", _("description"))


class RunChangeList(ChangeList):
    def url_for_result(self, result: Run) -> str:
        return run_address(RunIdentity.of(result))


@admin.register(Run)
class RunAdmin(MirrorAdmin):
    form = RunForm
    list_display = ("title", "place", "state", "created", "tag_list", TEXT, "marks", "problem_count")
    list_display_links = ("title",)
    list_filter = RUN_FILTERS
    list_select_related = ("root",)
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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request.user)

    # Reading

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        counts = Problem.objects.filter(run=OuterRef("pk")).order_by().values("run").annotate(count=Count("pk"))
        runs = in_roots(Run.objects.all(), None, root_places())
        return runs.annotate(problem_count=Coalesce(Subquery(counts.values("count")), 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        for word in search_term.split():
            queryset = queryset.filter(search_text__contains=word.casefold())
        return queryset, False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Run | None:
        return next(iter(runs_at([RunIdentity.from_text(object_id)])), None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RunChangeList

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

    # One run

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Without the transaction that Django puts around it: files are written here, and SQLite has one writer."""
        try:
            return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]
        except RunicornError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        edit_run(obj, form.edit(), by=name_of(request.user), at=time.time())

    def log_change(self, request: HttpRequest, obj: Run, message: Any) -> None:
        record(request.user, [RunIdentity.of(obj)], message)

    # Many runs

    def action_checkbox(self, obj: Run) -> SafeString:
        label = _("Select the run %(run)s") % {"run": obj.run_id}
        checkbox = forms.CheckboxInput({"class": "action-select", "aria-label": label}, lambda value: False)
        return checkbox.render(helpers.ACTION_CHECKBOX_NAME, str(RunIdentity.of(obj)))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST":
            request.POST = _with_keys(request.POST)  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        return {name: (partial(_start, name), name, str(action.label)) for name, action in BULK_ACTIONS.items()}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.apply_view)
        return [path("apply/<str:name>", view, name="experiments_run_apply"), *super().get_urls()]

    def start(self, name: str, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """An action was chosen in the list: do it, or show what it asks for."""
        action = BULK_ACTIONS[name]
        runs = list(queryset.select_related("root")[: MAX_RUNS + 1])
        if len(runs) > MAX_RUNS:
            text = _("These are more than %(most)s runs; choose fewer at once, by a filter for instance.")
            self.message_user(request, text % {"most": MAX_RUNS}, messages.ERROR)
            return None
        taken = [run for run in runs if action.takes(run)]
        if left_out := len(runs) - len(taken):
            text = ngettext(
                "%(count)s run was left out: it is not in the recycle bin, or is in it already.",
                "%(count)s runs were left out: they are not in the recycle bin, or are in it already.",
                left_out,
            )
            self.message_user(request, text % {"count": left_out}, messages.WARNING)
        if taken and action.asks_first:
            return self._ask(request, name, taken, action.form() if action.form else None, request.get_full_path())
        self._act(request, name, taken, {})
        return None

    def apply_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """What was asked for was filled in or confirmed."""
        back = reverse("admin:experiments_run_changelist") + _query_of(request.POST.get("back", ""))
        action = BULK_ACTIONS.get(name)
        if request.method != "POST" or action is None:
            return HttpResponseRedirect(back)
        runs = [run for run in runs_at(identities_in(request.POST.get("runs", ""))[:MAX_RUNS]) if action.takes(run)]
        form = action.form(request.POST) if action.form else None
        if runs and form is not None and not form.is_valid():
            return self._ask(request, name, runs, form, back)
        self._act(request, name, runs, form.cleaned_data if form else {})
        return HttpResponseRedirect(back)

    def _ask(
        self, request: HttpRequest, name: str, runs: Sequence[Run], form: forms.Form | None, back: str
    ) -> HttpResponse:
        action = BULK_ACTIONS[name]
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "action": action,
            "name": name,
            "form": form,
            "runs": runs[:NAMED_RUNS],
            "more": max(0, len(runs) - NAMED_RUNS),
            "count": len(runs),
            "size": bytes_of(runs) if action.is_final else None,
            "identities": identities_text(runs),
            "back": back,
        }
        return TemplateResponse(request, "admin/experiments/run/ask.html", context)

    def _act(self, request: HttpRequest, name: str, runs: Sequence[Run], said: dict[str, Any]) -> None:
        action = BULK_ACTIONS[name]
        outcomes = action.act(runs, said, name_of(request.user), time.time())
        done = [run for run, error in outcomes.items() if error is None]
        failed = [(run, error) for run, error in outcomes.items() if error is not None]
        record(request.user, done, " ".join((name, *map(str, said.values()))), is_final=action.is_final)
        text = ngettext("%(action)s: %(count)s run.", "%(action)s: %(count)s runs.", len(done))
        self.message_user(request, text % {"action": action.label, "count": len(done)}, messages.SUCCESS)
        for run, error in failed[:NAMED_FAILURES]:
            self.message_user(request, f"{run.path}: {error}", messages.ERROR)
        if (more := len(failed) - NAMED_FAILURES) > 0:
            text = ngettext("%(count)s more run failed.", "%(count)s more runs failed.", more)
            self.message_user(request, text % {"count": more}, messages.ERROR)


def _start(name: str, model_admin: RunAdmin, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
    return model_admin.start(name, request, queryset)


def _with_keys(posted: QueryDict) -> QueryDict:
    """The form's data with the chosen runs as Django looks for them: by the rows' numbers of this moment."""
    chosen = [RunIdentity.from_text(text) for text in posted.getlist(helpers.ACTION_CHECKBOX_NAME)]
    data = posted.copy()
    data.setlist(helpers.ACTION_CHECKBOX_NAME, [str(run.pk) for run in runs_at(chosen)])
    return data


def _query_of(address: str) -> str:
    """The filters in the address of the list; its path is not taken from a form."""
    _path, question, query = address.partition("?")
    return question + query
