"""What can be done to several runs at once: its words, what it asks for, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from experiments.admin.forms import DescriptionForm, TagsForm, tags_in
from experiments.models import Run
from experiments.queries.runs import RunIdentity
from experiments.services.curation import edit_runs
from experiments.services.outcomes import Outcome
from experiments.services.recycle_bin import bring_back, move_to_recycle_bin, purge_runs
from runicorn.storage.curation import Edit

#: Each takes some 10 ms, and the browser waits for all.
MAX_RUNS = 1000
DELETE_REASON = "user_deleted"
#: Runs, what the form said, who, when (Unix seconds).
Act = Callable[[Sequence[Run], Mapping[str, Any], str | None, float], dict[RunIdentity, Outcome]]


@dataclass(frozen=True)
class BulkAction:
    """deleted: what it applies to: runs in the recycle bin, or (False) the others; None: both.

    form: what has to be filled in first. is_final: cannot be undone, so it is confirmed with the bytes in sight.
    """

    label: str | Promise
    act: Act
    deleted: bool | None = None
    form: type[forms.Form] | None = None
    is_final: bool = False

    @property
    def asks_first(self) -> bool:
        return self.form is not None or self.is_final

    def takes(self, run: Run) -> bool:
        return self.deleted is None or (run.deleted_at is not None) == self.deleted


def _edit(edit_of: Callable[[Mapping[str, Any]], Edit]) -> Act:
    return lambda runs, said, by, at: edit_runs(runs, edit_of(said), by=by, at=at)


BULK_ACTIONS = {
    "add_tags": BulkAction(_("Add tags"), _edit(lambda said: Edit(add_tags=tags_in(said["tags"]))), form=TagsForm),
    "remove_tags": BulkAction(
        _("Remove tags"), _edit(lambda said: Edit(remove_tags=tags_in(said["tags"]))), form=TagsForm
    ),
    "describe": BulkAction(
        _("Describe"), _edit(lambda said: Edit(description=said["description"])), form=DescriptionForm
    ),
    "archive": BulkAction(_("Archive"), _edit(lambda _said: Edit(archived=True))),
    "unarchive": BulkAction(_("Take out of the archive"), _edit(lambda _said: Edit(archived=False))),
    "pin": BulkAction(_("Pin"), _edit(lambda _said: Edit(pinned=True))),
    "unpin": BulkAction(_("Unpin"), _edit(lambda _said: Edit(pinned=False))),
    "move_to_recycle_bin": BulkAction(
        _("Move to the recycle bin"),
        lambda runs, _said, _by, at: move_to_recycle_bin(runs, reason=DELETE_REASON, at=at),
        deleted=False,
    ),
    "restore": BulkAction(_("Restore"), lambda runs, _said, _by, at: bring_back(runs, at=at), deleted=True),
    "purge": BulkAction(
        _("Delete for ever"), lambda runs, _said, _by, at: purge_runs(runs, at=at), deleted=True, is_final=True
    ),
}
