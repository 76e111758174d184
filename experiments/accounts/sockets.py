"""Who may open which WebSocket, and for how long it stays open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from experiments.accounts.identity import is_login_required, token_from, user_of_session, user_without_login
from experiments.http.origins import is_foreign, origin_may_read
from experiments.http.threads import in_request_thread
from runicorn.errors import Denied, NotLoggedIn, RunicornError

logger = logging.getLogger(__name__)

#: A socket whose opener may no longer see anything, because the token was revoked or the session ended, ends in less
#: than half a minute.
RECHECK_S = 20.0
#: The close code of such a socket: what HTTP calls 401.
CLOSE_NOT_LOGGED_IN = 4401


class SocketAccess:
    """ASGI: refuse handshakes as requests are refused, set ``scope["user"]``, and ask again while the socket is open.

    A handshake to a Host we do not have is refused (DNS rebinding), one of an origin that the settings leave out, and
    where there is a login one of a stranger. Sockets only read, so where there is none any other origin may open them.
    A browser sends the session's cookie along with handshakes of foreign pages: for them it does not count.
    """

    def __init__(self, application: Any, *, recheck_s: float = RECHECK_S) -> None:
        self._application = application
        self._recheck_s = recheck_s

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = _headers(scope)
        try:
            _check_host_and_origin(headers)
            scope = {**scope, "user": await in_request_thread(caller_of_socket, headers)}
        except RunicornError:
            await send({"type": "websocket.close"})  # before the handshake is accepted: daphne answers 403
            return
        watch = asyncio.create_task(self._watch(headers, scope["path"], send))
        try:
            await self._application(scope, receive, send)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, headers: Mapping[str, str], path: str, send: Any) -> None:
        if not is_login_required() and "authorization" not in headers:
            return
        while True:
            await asyncio.sleep(self._recheck_s)
            try:
                await in_request_thread(caller_of_socket, headers)
            except NotLoggedIn:
                await send({"type": "websocket.close", "code": CLOSE_NOT_LOGGED_IN})
                return
            except Exception:
                # a database that is busy or away for a moment; giving up would leave the socket open for good
                logger.exception("Whether the socket %s may stay open could not be asked; trying again.", path)


def caller_of_socket(headers: Mapping[str, str]) -> User:
    """Whose socket it is. Raises NotLoggedIn for strangers where there is a login, and for a token that counts not."""
    token = token_from(headers.get("authorization"), at=timezone.now())
    if token is not None:
        return token.owner
    user = None if _is_foreign(headers) else user_of_session(_session_key(headers.get("cookie", "")))
    if not is_login_required():
        return user_without_login(user or AnonymousUser())
    if user is None:
        raise NotLoggedIn("Log in, or send an API token with the handshake.")
    return user


def _check_host_and_origin(headers: Mapping[str, str]) -> None:
    host = headers.get("host", "")
    domain = split_domain_port(host)[0]
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise Denied(f"The host {host!r} is not ours.")
    if not origin_may_read(headers.get("origin"), host=host):
        raise Denied("Pages of this origin may not open sockets here.")


def _is_foreign(headers: Mapping[str, str]) -> bool:
    return is_foreign(
        origin=headers.get("origin"), fetch_site=headers.get("sec-fetch-site"), host=headers.get("host", "")
    )


def _headers(scope: Any) -> dict[str, str]:
    """The headers by name. One that comes twice is joined, so that two hosts are no host."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _session_key(cookies: str) -> str | None:
    # as Django reads a request's: http.cookies gives up at the first odd cookie, which another server may have set
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
