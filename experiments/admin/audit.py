"""Who did what in the admin, in Django's log beside the accounts: it outlives the index and names rows as files do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from experiments.access import name_of

#: What the column takes.
_REPR_CHARS = 200


def record(user: Any, model: type[Model], identities: Iterable[str], message: Any, *, is_final: bool = False) -> None:
    """One entry a row, shown as the last part of its identity. Where nobody is logged in there is no account to name.

    message: a sentence, or what Django's forms give. is_final: the rows are gone.
    """
    if name_of(user) is None:
        return
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    kind = ContentType.objects.get_for_model(model)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type_id=kind.pk,
            object_id=identity,
            object_repr=identity.rpartition("/")[2][:_REPR_CHARS],
            action_flag=DELETION if is_final else CHANGE,
            change_message=text,
        )
        for identity in identities
    )
