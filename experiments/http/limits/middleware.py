"""Refuses requests beyond the limits, and tells every client of the API where it stands."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse

from experiments.http.clients import client_address, is_loopback
from experiments.http.errors import wants_json
from experiments.http.limits.counting import Usage, count_request
from experiments.http.limits.in_force import limits_in_force
from experiments.http.middleware import GetResponse
from experiments.http.rendering import json_response
from runicorn.rate_limits.model import RateLimits

logger = logging.getLogger(__name__)


class RateLimitMiddleware:
    """Stands before everything that refuses a request, so that its headers are on every answer of the API.

    Only what tells who the client is comes earlier: a request with a valid token counts by that token.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not wants_json(request):
            return self._get_response(request)
        limits = limits_in_force.now()
        address = client_address(request)
        token = request.api_token
        client = f"token {token.pk}" if token is not None else address
        usage = count_request(request, limits, client=client, is_exempt=_is_exempt(request, limits, address))
        if usage.is_first_refusal and limits.log_violations:
            logger.warning("Rate limit of %d exceeded by %s: %s", usage.limit, client, usage.endpoint)
        response = _refusal(usage) if usage.is_refused else self._get_response(request)
        response[limits.headers.limit] = str(usage.limit)
        response[limits.headers.remaining] = str(usage.remaining)
        response[limits.headers.reset] = str(usage.reset_s)
        return response


def _is_exempt(request: HttpRequest, limits: RateLimits, address: str) -> bool:
    if not limits.is_enabled or request.method == "OPTIONS":
        return True
    return limits.whitelist_localhost and is_loopback(address)


def _refusal(usage: Usage) -> HttpResponse:
    response = json_response({"detail": "Rate limit exceeded", "retry_after": usage.reset_s}, status=429)
    response["Retry-After"] = str(usage.reset_s)
    return response
