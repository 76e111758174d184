"""What every page says of who is logged in."""

from __future__ import annotations

from django.http import HttpRequest

from experiments.access import name_of
from experiments.accounts.identity import is_login_required


def account(request: HttpRequest) -> dict[str, str | None]:
    """``account_name``: None where nobody has to log in; there no page asks the database for it."""
    return {"account_name": name_of(request.user) if is_login_required() else None}
