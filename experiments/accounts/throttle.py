"""Slows down whoever guesses passwords, without locking the owner of an account out.

Attempts are counted in fixed windows, before the password is looked at: from one address, and for one account from
anywhere; over all web processes, where they share a Redis. A browser in which somebody has logged in before carries a
signed cookie and is counted by that alone, so that strangers who use up an account's attempts keep nobody out of the
browser he always uses.
"""

from __future__ import annotations

import hashlib
import math

from django.core import signing
from django.core.cache import cache

#: Attempts in one window: of a browser that is known for the account, of an address, and for an account from anywhere.
KNOWN_BROWSER_ATTEMPTS = 10
ADDRESS_ATTEMPTS = 20
ACCOUNT_ATTEMPTS = 50
WINDOW_S = 300
COOKIE_NAME = "runicorn_known_browser"
COOKIE_LIFE_S = 180 * 86400
_SALT = "experiments.accounts.throttle"


def wait_before_login(*, address: str, username: str, cookie: str, now: float) -> int:
    """Count an attempt; returns the seconds until the next one may be made, 0 if this one may. now: Unix seconds."""
    if _is_known(cookie, username):
        is_refused = _count(f"browser {cookie}", now) > KNOWN_BROWSER_ATTEMPTS
    else:
        by_address, by_account = _count(f"address {address}", now), _count(f"account {username.casefold()}", now)
        is_refused = by_address > ADDRESS_ATTEMPTS or by_account > ACCOUNT_ATTEMPTS
    return math.ceil(WINDOW_S - now % WINDOW_S) if is_refused else 0


def cookie_for(username: str) -> str:
    """What makes a browser known for an account. It lets nobody in."""
    return signing.dumps(username, salt=_SALT)


def _is_known(cookie: str, username: str) -> bool:
    try:
        known: object = signing.loads(cookie, salt=_SALT, max_age=COOKIE_LIFE_S)
    except signing.BadSignature:
        return False
    return known == username


def _count(subject: str, now: float) -> int:
    """How many attempts this subject has made in the present window, this one included."""
    digest = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
    key = f"login:{int(now // WINDOW_S)}:{digest}"
    cache.add(key, 0, timeout=WINDOW_S)
    try:
        return cache.incr(key)
    except ValueError:  # dropped in between: the window is over
        return 1
