"""Accounts, tokens and sessions of a running server, made beside it."""

from __future__ import annotations

from tests.server import ViewerServer

PASSWORD = "seven green horses"
FOREIGN = "https://elsewhere.example"


def make_account(server: ViewerServer, name: str) -> None:
    server.run_python(
        f"from django.contrib.auth.models import User\nUser.objects.create_superuser({name!r}, password={PASSWORD!r})\n"
    )


def make_token(server: ViewerServer, *, owner: str | None, name: str, expires: str = "None") -> str:
    """A token's secret. owner: None for the account that acts where nobody logs in. expires: a Python expression."""
    account = "local_account()" if owner is None else f"User.objects.get(username={owner!r})"
    return server.run_python(
        "from datetime import timedelta\n"
        "from django.contrib.auth.models import User\n"
        "from django.utils.timezone import now\n"
        "from experiments.accounts.services import create_token, local_account\n"
        f"print(create_token({account}, name={name!r}, at=now(), expires_at={expires})[1])\n"
    ).strip()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def session_cookie(server: ViewerServer, name: str) -> dict[str, str]:
    """The header of a browser in which ``name`` has logged in."""
    key = server.run_python(
        "from django.conf import settings\n"
        "from django.test import Client\n"
        "from django.contrib.auth.models import User\n"
        f"client = Client(); client.force_login(User.objects.get(username={name!r}))\n"
        "print(client.cookies[settings.SESSION_COOKIE_NAME].value)\n"
    ).strip()
    return {"Cookie": f"runicorn_session={key}"}
