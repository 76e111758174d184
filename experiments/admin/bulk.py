"""What can be done to several runs at once: its words, what it asks for, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from experiments.admin.curated import Act, BulkAction
from experiments.admin.forms import DescriptionForm, TagsForm
from experiments.queries.runs import RunIdentity
from experiments.services.curation import edit_runs, tags_in
from experiments.services.outcomes import Outcome
from experiments.services.recycle_bin import bring_back, move_to_recycle_bin, purge_runs
from runicorn.storage.curation import Edit

DELETE_REASON = "user_deleted"


def _by_identity(outcomes: Mapping[RunIdentity, Outcome]) -> dict[str, Outcome]:
    return {str(identity): outcome for identity, outcome in outcomes.items()}


def _edit(edit_of: Callable[[Mapping[str, Any]], Edit]) -> Act:
    return lambda runs, said, by, at: _by_identity(edit_runs(runs, edit_of(said), by=by, at=at))


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
        lambda runs, _said, _by, at: _by_identity(move_to_recycle_bin(runs, reason=DELETE_REASON, at=at)),
        deleted=False,
    ),
    "restore": BulkAction(
        _("Restore"), lambda runs, _said, _by, at: _by_identity(bring_back(runs, at=at)), deleted=True
    ),
    "purge": BulkAction(
        _("Delete for ever"),
        lambda runs, _said, _by, at: _by_identity(purge_runs(runs, at=at)),
        deleted=True,
        is_final=True,
    ),
}
