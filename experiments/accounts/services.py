"""What can be done with accounts: make and revoke tokens, recognise one, make the first account."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import IntegrityError, router, transaction
from django.db.models import Q, QuerySet

from experiments.accounts.models import ApiToken, SetUpLink
from runicorn.errors import Conflict, Denied, InvalidInput, NotFound, NotLoggedIn

#: By which a token is recognised in a log or a repository, by people and by scanners.
TOKEN_PREFIX = "rcn_"  # noqa: S105 (what all tokens begin with)
SECRET_BYTES = 32
#: How exactly it is known when a token was last used; a write for every request would be too many.
USE_NOTED_EVERY = timedelta(minutes=1)
SET_UP_LINK_LIFE = timedelta(hours=24)
#: Who acts where nobody logs in. A blank cannot be in a name that somebody chooses.
LOCAL_ACCOUNT = "local account"


def create_token(owner: User, *, name: str, at: datetime, expires_at: datetime | None) -> tuple[ApiToken, str]:
    """A new token and its secret, which is not kept: the caller shows it once.

    Raises InvalidInput for a blank or long name, Conflict if the owner has a token of that name.
    """
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise InvalidInput("Give the token a name of 1 to 100 characters.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken(owner=owner, name=name, digest=digest_of(secret), created_at=at, expires_at=expires_at)
    try:
        with transaction.atomic(using=router.db_for_write(ApiToken)):
            token.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is a token named {name!r}; choose another name, or revoke it first.") from error
    return token, secret


def revoke_token(owner: User, token_id: int) -> None:
    """The token counts no longer; sockets that were opened with it end within half a minute. Raises NotFound."""
    deleted, _ = ApiToken.objects.filter(owner=owner, pk=token_id).delete()
    if not deleted:
        raise NotFound("There is no such token; it may have been revoked already.")


def recognise_token(secret: str, *, at: datetime) -> ApiToken:
    """The token with its owner, if it counts now. Raises NotLoggedIn, without saying what is wrong with it."""
    token = ApiToken.objects.select_related("owner").filter(digest=digest_of(secret)).first()
    if token is None or not token_counts(token, at=at):
        raise NotLoggedIn("This API token is unknown, expired or revoked; make a new one on the settings page.")
    if token.last_used_at is None or at - token.last_used_at >= USE_NOTED_EVERY:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=at - USE_NOTED_EVERY)
        ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=at)
    return token


def token_counts(token: ApiToken, *, at: datetime) -> bool:
    """Whether the token has not expired and its owner may act.

    One that was made where nobody logs in counts only there: whoever reached that viewer could make one.
    """
    from_local_account = token.owner.username == LOCAL_ACCOUNT
    is_in_time = token.expires_at is None or at < token.expires_at
    return is_in_time and token.owner.is_active and not (from_local_account and settings.RUNICORN_LOGIN_REQUIRED)


def local_account() -> User:
    """The account that acts where nobody logs in; nobody can log in as it."""
    user, _ = User.objects.get_or_create(
        username=LOCAL_ACCOUNT, defaults={"is_staff": True, "is_superuser": True, "password": make_password(None)}
    )
    return user


def has_accounts() -> bool:
    """Whether anybody can log in."""
    return User.objects.exclude(username=LOCAL_ACCOUNT).exists()


def new_set_up_link(*, at: datetime) -> str | None:
    """The secret of a new set-up link, which is not kept; None if there is an account. Ends all earlier links."""
    if has_accounts():
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic(using=router.db_for_write(SetUpLink)):
        SetUpLink.objects.all().delete()
        SetUpLink.objects.create(digest=digest_of(secret), expires_at=at + SET_UP_LINK_LIFE)
    return secret


def check_set_up_link(secret: str, *, at: datetime) -> None:
    """Raises Denied if the link does not count (any more)."""
    if has_accounts() or not _link(secret, at=at).exists():
        raise Denied(
            "This set-up link was used, has expired, or a later start of the viewer has printed another one. "
            "While there is no account, each start prints a new one."
        )


def make_first_account(secret: str, *, username: str, password: str, at: datetime) -> User:
    """The administrator, for whom uses the link first. Raises Denied for everybody after."""
    with transaction.atomic(using=router.db_for_write(User)):
        check_set_up_link(secret, at=at)
        if _link(secret, at=at).delete()[0] != 1:  # another request was faster by a moment
            raise Denied("This set-up link was used a moment ago.")
        return User.objects.create_superuser(username=username, password=password)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _link(secret: str, *, at: datetime) -> QuerySet[SetUpLink]:
    return SetUpLink.objects.filter(digest=digest_of(secret), expires_at__gt=at)
