"""Who may see what: every view and consumer gets its run and its files here.

``user`` is who asks. Accounts are administrators, so whoever may ask at all (experiments.accounts.middleware) sees
everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from experiments.accounts.services import LOCAL_ACCOUNT
from experiments.models import Run, StorageRoot
from experiments.queries.runs import RunIdentity, find_runs, find_runs_by_id, runs_at
from runicorn.errors import NotFound, RunNotFound
from runicorn.storage.paths import resolve_inside


def get_run_for(
    user: object | None,
    run_id: str,
    *,
    root: str | None = None,
    path: str | None = None,
    include_deleted: bool = False,
) -> Run:
    """The run that an id means, with its ``root`` loaded.

    The local root is looked in first, then the others; among several the newest sign of life wins.
    root: key of a storage root, to look there only. path: relative to the root, where two folders share the id.
    Raises RunNotFound, also for a run in the recycle bin unless ``include_deleted``.
    """
    runs = find_runs(run_id, root=root, path=path, include_deleted=include_deleted)
    if not runs:
        raise RunNotFound("Run not found")  # the reference's words
    return runs[0]


def get_runs_for(user: object | None, identities: Iterable[RunIdentity]) -> list[Run]:
    """Those of these runs that there are, in the recycle bin or not, each with its ``root`` loaded."""
    return runs_at(identities)


def get_runs_by_id_for(user: object | None, run_ids: Sequence[str]) -> list[Run]:
    """As ``get_run_for`` for many at once, each id once, in their order. Raises RunNotFound for the first unknown."""
    found = find_runs_by_id(run_ids)
    for run_id in run_ids:
        if run_id not in found:
            raise RunNotFound(f"Experiment {run_id} not found")  # V2's words
    return [found[run_id] for run_id in dict.fromkeys(run_ids)]


def get_root_for(user: object | None, key: str) -> StorageRoot:
    """The enabled storage root called ``key``. Raises NotFound."""
    root = StorageRoot.objects.filter(key=key, enabled=True).first()
    if root is None:
        raise NotFound(f"There is no storage root {key!r}.")
    return root


def checked_root_for(user: object | None, key: str | None) -> str | None:
    """``key``, if an enabled storage root is called so; None, which means all of them, as it is. Raises NotFound."""
    if key is not None:
        get_root_for(user, key)
    return key


def account_of(user: object | None) -> User | None:
    """The account that somebody logged in to, or whose token was sent; None where nobody logs in."""
    return None if not isinstance(user, User) or user.username == LOCAL_ACCOUNT else user


def name_of(user: object | None) -> str | None:
    """Who a change is written down as: the name of an account, None where nobody logs in."""
    account = account_of(user)
    return account.username if account is not None else None


def may_administer(user: object | None) -> bool:
    """Whether ``user`` may use the admin. Accounts are administrators, and where nobody logs in whoever asks is."""
    return not settings.RUNICORN_LOGIN_REQUIRED or bool(getattr(user, "is_staff", False))


def run_directory(run: Run) -> Path:
    """Where the run's files lie, links resolved. Raises OutsideRoot if the folder leads out of its storage root."""
    return resolve_inside(Path(run.root.path), run.path)
