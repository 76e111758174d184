"""Who sends a request or opens a socket: the owner of its token, who is logged in, or the account of this machine."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.utils.functional import SimpleLazyObject

from experiments.accounts.models import ApiToken
from experiments.accounts.services import local_account, recognise_token

_SCHEME = "bearer "


def token_from(authorization: str | None, *, at: datetime) -> ApiToken | None:
    """The token that an Authorization header presents; None where it presents none of ours (a proxy's Basic).

    Raises NotLoggedIn for one that does not count: a program that believes to be known must not act as nobody.
    """
    if authorization is None or not authorization.lower().startswith(_SCHEME):
        return None
    return recognise_token(authorization[len(_SCHEME) :].strip(), at=at)


def user_of_session(session_key: str | None) -> User | None:
    """Who is logged in by a session cookie's value."""
    if not session_key:
        return None
    found: Any = get_user(cast(Any, SimpleNamespace(session=SessionStore(session_key))))
    return None if isinstance(found, AnonymousUser) else found


def user_without_login(logged_in: User | AnonymousUser) -> User:
    """Where nobody has to log in: who did nevertheless, else the local account. Asks the database when it is used."""

    def find() -> User:
        return logged_in if isinstance(logged_in, User) else local_account()

    return cast(User, SimpleLazyObject(find))


def is_login_required() -> bool:
    """Whether everybody has to log in; in the settings, by the address the web process is bound to."""
    return bool(settings.RUNICORN_LOGIN_REQUIRED)


def is_known(request: Any) -> bool:
    """Whether it is known who sent the request, or need not be."""
    return not is_login_required() or bool(request.user.is_authenticated)
