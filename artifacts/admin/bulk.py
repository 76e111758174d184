"""What can be done to several versions at once: its words, what it asks for, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from artifacts.models import ArtifactVersion
from artifacts.queries.identities import VersionIdentity
from artifacts.services import curation
from experiments.admin.curated import Act, BulkAction
from experiments.admin.forms import TagsForm
from experiments.services.curation import tags_in
from experiments.services.outcomes import Outcome
from runicorn.artifacts.curation import VersionEdit
from runicorn.errors import RunicornError


def _each(change: Callable[[ArtifactVersion, Mapping[str, Any], float], object]) -> Act:
    """One version after the other: what fails for one is told, and the others go on."""

    def outcome(version: ArtifactVersion, said: Mapping[str, Any], at: float) -> Outcome:
        try:
            change(version, said, at)
        except RunicornError as error:
            return str(error)
        return None

    return lambda versions, said, _by, at: {
        str(VersionIdentity.of(version)): outcome(version, said, at) for version in versions
    }


def _edit(edit_of: Callable[[list[str]], VersionEdit]) -> Act:
    return _each(lambda version, said, at: curation.edit_version(version, edit_of(tags_in(said["tags"])), at=at))


BULK_ACTIONS = {
    "add_tags": BulkAction(_("Add tags"), _edit(lambda tags: VersionEdit(add_tags=tags)), form=TagsForm),
    "remove_tags": BulkAction(_("Remove tags"), _edit(lambda tags: VersionEdit(remove_tags=tags)), form=TagsForm),
    "move_to_recycle_bin": BulkAction(
        _("Move to the recycle bin"),
        _each(lambda version, _said, at: curation.delete_version(version, at=at)),
        deleted=False,
    ),
    "restore": BulkAction(
        _("Restore"), _each(lambda version, _said, at: curation.restore_version(version, at=at)), deleted=True
    ),
    "purge": BulkAction(
        _("Delete for ever"),
        _each(lambda version, _said, at: curation.purge_deleted_version(version, at=at)),
        deleted=True,
        is_final=True,
    ),
}
