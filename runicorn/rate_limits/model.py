"""Limits, and which of them holds for a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

#: What a rule without methods of its own is for.
EVERY_METHOD: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Limit:
    """At most ``max_requests`` in a window of ``window_seconds``, and at most ``burst_size`` in one second."""

    max_requests: int
    window_seconds: int = 60
    burst_size: int | None = None

    def __str__(self) -> str:
        burst = f" (at most {self.burst_size}/s)" if self.burst_size else ""
        return f"{self.max_requests}/{self.window_seconds}s{burst}"


@dataclass(frozen=True)
class Rule:
    """A limit for all paths at and below ``prefix``, counted for each method and route by itself.

    prefix: without a slash at its end. The empty one covers everything.
    """

    prefix: str
    limit: Limit
    description: str = ""
    methods: frozenset[str] = EVERY_METHOD
    is_users: bool = False

    def covers(self, path: str) -> bool:
        # most rules are done with the first half, and every request looks at all of them
        return path.startswith(self.prefix) and path[len(self.prefix) : len(self.prefix) + 1] in ("", "/")

    def is_for(self, method: str, path: str) -> bool:
        return self.covers(path) and (not self.methods or method in self.methods)


class HeaderNames(NamedTuple):
    """The headers that tell a client where it stands."""

    limit: str = "X-RateLimit-Limit"
    remaining: str = "X-RateLimit-Remaining"
    reset: str = "X-RateLimit-Reset"


DEFAULT_HEADERS = HeaderNames()

STANDARD = Limit(60)
_V2 = Limit(100)
_CONNECT = Limit(5)
_BULK_DELETE = Limit(10)

#: The quick reference's classes, and the narrower limits of the reference's documentation.
BUILT_IN = (
    Rule("/api/v2", _V2, "V2 queries", frozenset({"GET"})),
    Rule("/api/v2/metrics/query", _V2, "V2 queries", frozenset({"POST"})),
    Rule("/api/unified/connect", _CONNECT, "SSH connect"),
    Rule("/api/ssh/connect", _CONNECT, "SSH connect"),
    Rule("/api/remote/connect", _CONNECT, "SSH connect"),
    Rule("/api/v2/experiments/batch-delete", _BULK_DELETE, "bulk delete"),
    Rule("/api/runs/soft-delete", _BULK_DELETE, "bulk delete"),
    Rule("/api/experiments/delete", _BULK_DELETE, "bulk delete"),
    Rule("/api/recycle-bin/empty", Limit(5), "empty the recycle bin"),
    Rule("/api/unified/listdir", Limit(30), "folders of a server"),
    Rule("/api/unified/configure_mode", Limit(10), "remote mode"),
    Rule("/api/config/user_root_dir", Limit(10), "storage root"),
    Rule("/api/config/ssh_connections", Limit(20), "saved connections", frozenset({"POST", "DELETE"})),
)


def _longest_first(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda rule: len(rule.prefix), reverse=True))


@dataclass(frozen=True)
class RateLimits:
    """What is in force: the user's rules, then the built-in ones, then the default.

    whitelist_localhost: requests from this machine are not limited. log_violations: refusals are logged.
    max_log_streams: how many logs one address may follow at a time; this machine may all.
    """

    default: Limit = STANDARD
    user_limits: Mapping[str, Rule] = field(default_factory=dict)
    is_enabled: bool = True
    log_violations: bool = True
    whitelist_localhost: bool = False
    max_log_streams: int = 64
    headers: HeaderNames = DEFAULT_HEADERS

    def rule_for(self, method: str, path: str) -> Rule:
        """The rule in force: the longest prefix of the user's, else the longest built-in one, else the default."""
        return next(rule for rule in self._in_order if rule.is_for(method, path))

    def rules_for(self, path: str) -> list[Rule]:
        """The rules in force for a path: those for some methods, then the one for all others."""
        rules: list[Rule] = []
        for rule in self._in_order:
            if rule.covers(path):
                rules.append(rule)
                if not rule.methods:
                    break
        return rules

    @cached_property
    def _in_order(self) -> tuple[Rule, ...]:
        return (*_longest_first(self.user_limits.values()), *_longest_first(BUILT_IN), Rule("", self.default))

    @property
    def rules(self) -> list[Rule]:
        """Everything in force but the default, by prefix. A built-in rule below a prefix of the user's is not."""
        users = list(self.user_limits.values())
        hidden = {rule for rule in BUILT_IN for user in users if user.covers(rule.prefix)}
        return sorted([*users, *(rule for rule in BUILT_IN if rule not in hidden)], key=lambda rule: rule.prefix)
