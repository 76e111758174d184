"""Counts requests, in fixed windows, by client and route. The one module that knows django-ratelimit."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import resolve
from django_ratelimit.core import get_usage

from runicorn.rate_limits.model import Limit, RateLimits, Rule

#: Every other method counts as one: the words after which a client could start anew would have no end.
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Usage:
    """Where a client stands with one endpoint.

    endpoint: method and route, or for an unknown path the prefix of its rule. reset_s: seconds until the present window
    is over, at least 1. is_first_refusal: true once a window.
    """

    endpoint: str
    limit: int
    remaining: int
    reset_s: int
    is_refused: bool = False
    is_first_refusal: bool = False


def count_request(request: HttpRequest, limits: RateLimits, *, client: str, is_exempt: bool) -> Usage:
    """Count a request of the API and say where its client stands; an exempt one is not counted and never refused."""
    method = _counted_method(request)
    rule = limits.rule_for(method, request.path)
    endpoint = f"{method} {_route_of(request) or rule.prefix}"
    usage = _usage(request, endpoint, rule, client=client, is_counted=not is_exempt)
    burst = rule.limit.burst_size
    if is_exempt or burst is None or usage.is_refused:
        return usage
    within = _usage(request, f"{endpoint} burst", Rule("", Limit(burst, 1)), client=client, is_counted=True)
    if not within.is_refused:
        return usage
    return Usage(endpoint, usage.limit, usage.remaining, within.reset_s, True, within.is_first_refusal)


def _counted_method(request: HttpRequest) -> str:
    """HEAD costs what GET costs."""
    method = request.method or ""
    if method == "HEAD":
        return "GET"
    return method if method in _METHODS else "OTHER"


def _route_of(request: HttpRequest) -> str | None:
    """The pattern of the request's route; None for a path that only the answer to unknown ones takes.

    The match is left on the request, where ``RequestHandler`` finds it: resolving costs more than counting.
    """
    if request.resolver_match is None:
        request.resolver_match = resolve(request.path_info)
    return request.resolver_match.route if request.resolver_match.url_name else None


def _usage(request: HttpRequest, endpoint: str, rule: Rule, *, client: str, is_counted: bool) -> Usage:
    limit = rule.limit
    usage = get_usage(
        request,
        group=endpoint,
        key=lambda _group, _request: client,
        rate=(limit.max_requests, limit.window_seconds),
        increment=is_counted,
    )
    count = usage["count"] if is_counted else 0
    return Usage(
        endpoint=endpoint,
        limit=limit.max_requests,
        remaining=max(0, limit.max_requests - count),
        # the window's last second belongs to it; -1 is what a counter says that vanished meanwhile
        reset_s=max(usage["time_left"], 0) + 1,
        is_refused=count > limit.max_requests,
        is_first_refusal=count == limit.max_requests + 1,
    )
