"""Lists of the admin whose rows people curate, one by one or many at once, whatever they are rows of.

A row is named everywhere (addresses, check boxes, hidden fields, the audit log) by what its files are named by, its
identity, never by its number: after a ``reindex`` the number is another row's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import model_ngettext
from django.contrib.admin.utils import quote as quoted
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from experiments.access import may_administer, name_of
from experiments.admin.audit import record
from experiments.admin.base import MirrorAdmin
from experiments.queries.runs import texts_in
from experiments.services.outcomes import Outcome
from runicorn.errors import RunicornError

#: Each takes some 10 ms, and the browser waits for all.
MAX_ROWS = 1000
#: Rows that a page before an action names; the others are counted.
NAMED_ROWS = 100
#: Failures that are told one by one.
NAMED_FAILURES = 10
#: Rows, what the form said, who, when (Unix seconds) → the outcome of each, by its identity.
Act = Callable[[Sequence[Any], Mapping[str, Any], str | None, float], Mapping[str, Outcome]]


@dataclass(frozen=True)
class BulkAction:
    """What can be done to several rows at once. deleted: what it applies to: rows in the recycle bin, or (False) the
    others; None: both. form: what has to be filled in first. is_final: cannot be undone, so it is confirmed with the
    bytes in sight.
    """

    label: str | Promise
    act: Act
    deleted: bool | None = None
    form: type[forms.Form] | None = None
    is_final: bool = False

    @property
    def asks_first(self) -> bool:
        return self.form is not None or self.is_final

    def takes(self, row: Any) -> bool:
        return self.deleted is None or (row.deleted_at is not None) == self.deleted


class CuratedAdmin(MirrorAdmin):
    """ask_template: the page before an action, given ``rows``, ``count``, ``more`` and, if it is final, ``size``."""

    bulk_actions: Mapping[str, BulkAction]
    ask_template: str

    def identity_of(self, row: Any) -> str:
        """``row`` comes from ``get_queryset`` or ``rows_called``."""
        raise NotImplementedError

    def rows_called(self, identities: Sequence[str]) -> list[Any]:
        """The rows of these identities that there are, in the recycle bin or not, with what services need of them."""
        raise NotImplementedError

    def bytes_of(self, rows: Sequence[Any]) -> int:
        """What deleting them for ever frees."""
        raise NotImplementedError

    def save(self, row: Any, form: Any, *, by: str | None, at: float) -> None:
        """Carry out what was changed on the page of one row. Raises RunicornError."""
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return next(iter(self.rows_called([object_id])), None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CuratedChangeList

    def address_of(self, row: Any) -> str:
        """The page of one row."""
        return self._url("change", quoted(self.identity_of(row)))

    def _url(self, page: str, *args: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    # One row

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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.save(obj, form, by=name_of(request.user), at=time.time())

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        record(request.user, self.model, [self.identity_of(obj)], message)

    # Many rows

    def action_checkbox(self, obj: Any) -> SafeString:
        label = _("Select %(thing)s") % {"thing": self.identity_of(obj).rpartition("/")[2]}
        checkbox = forms.CheckboxInput({"class": "action-select", "aria-label": label}, lambda value: False)
        return checkbox.render(helpers.ACTION_CHECKBOX_NAME, self.identity_of(obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST":
            # the chosen rows as Django looks for them: by the numbers of this moment
            data = request.POST.copy()
            rows = self.rows_called(data.getlist(helpers.ACTION_CHECKBOX_NAME))
            data.setlist(helpers.ACTION_CHECKBOX_NAME, [str(row.pk) for row in rows])
            request.POST = data  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        return {name: (partial(_start, name), name, str(action.label)) for name, action in self.bulk_actions.items()}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.apply_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_apply"
        return [path("apply/<str:name>", view, name=name), *super().get_urls()]

    def start(self, name: str, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """An action was chosen in the list: do it, or show what it asks for."""
        action = self.bulk_actions[name]
        rows = list(queryset[: MAX_ROWS + 1])
        if len(rows) > MAX_ROWS:
            text = _("These are more than %(most)s %(things)s; choose fewer at once, by a filter for instance.")
            self.message_user(request, text % self._counted(MAX_ROWS, "most"), messages.ERROR)
            return None
        taken = [row for row in rows if action.takes(row)]
        if left_out := len(rows) - len(taken):
            text = _("Left out: %(count)s %(things)s not in the recycle bin, or in it already.")
            self.message_user(request, text % self._counted(left_out), messages.WARNING)
        if taken and action.asks_first:
            return self._ask(request, name, taken, action.form() if action.form else None, request.get_full_path())
        self._act(request, name, taken, {})
        return None

    def apply_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """What was asked for was filled in or confirmed."""
        back = self._url("changelist") + _query_of(request.POST.get("back", ""))
        action = self.bulk_actions.get(name)
        if request.method != "POST" or action is None:
            return HttpResponseRedirect(back)
        named = texts_in(request.POST.get("rows", ""))
        rows = [row for row in self.rows_called(named[:MAX_ROWS]) if action.takes(row)]
        form = action.form(request.POST) if action.form else None
        if rows and form is not None and not form.is_valid():
            return self._ask(request, name, rows, form, back)
        self._act(request, name, rows, form.cleaned_data if form else {})
        return HttpResponseRedirect(back)

    def _ask(
        self, request: HttpRequest, name: str, rows: Sequence[Any], form: forms.Form | None, back: str
    ) -> HttpResponse:
        action = self.bulk_actions[name]
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "action": action,
            "list_url": self._url("changelist"),
            "apply_url": self._url("apply", name),
            "form": form,
            "rows": rows[:NAMED_ROWS],
            "more": max(0, len(rows) - NAMED_ROWS),
            "count": len(rows),
            "things": model_ngettext(self.opts, len(rows)),
            "size": self.bytes_of(rows) if action.is_final else None,
            "identities": orjson.dumps([self.identity_of(row) for row in rows]).decode(),
            "back": back,
        }
        return TemplateResponse(request, self.ask_template, context)

    def _act(self, request: HttpRequest, name: str, rows: Sequence[Any], said: dict[str, Any]) -> None:
        action = self.bulk_actions[name]
        outcomes = action.act(rows, said, name_of(request.user), time.time())
        done = [identity for identity, error in outcomes.items() if error is None]
        failed = [(identity, error) for identity, error in outcomes.items() if error is not None]
        message = " ".join((name, *map(str, said.values())))
        record(request.user, self.model, done, message, is_final=action.is_final)
        text = _("%(action)s: %(count)s %(things)s.") % ({"action": action.label} | self._counted(len(done)))
        self.message_user(request, text, messages.SUCCESS)
        for identity, error in failed[:NAMED_FAILURES]:
            self.message_user(request, f"{identity}: {error}", messages.ERROR)
        if (more := len(failed) - NAMED_FAILURES) > 0:
            text = _("%(count)s more %(things)s failed.") % self._counted(more)
            self.message_user(request, text, messages.ERROR)

    def _counted(self, count: int, name: str = "count") -> dict[str, Any]:
        return {name: count, "things": model_ngettext(self.opts, count)}


class CuratedChangeList(ChangeList):
    def url_for_result(self, result: Any) -> str:
        model_admin: Any = self.model_admin
        address: str = model_admin.address_of(result)
        return address


def _start(name: str, model_admin: CuratedAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    return model_admin.start(name, request, queryset)


def _query_of(address: str) -> str:
    """The filters in the address of the list; its path is not taken from a form."""
    _path, question, query = address.partition("?")
    return question + query
