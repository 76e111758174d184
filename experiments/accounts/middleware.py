"""Who may send which request. What is not allowed here is refused; views need not think of it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from rest_framework.authentication import CSRFCheck

from experiments.accounts.identity import is_known, is_login_required, token_from, user_without_login
from experiments.http.errors import problem_from, problem_response, wants_json
from experiments.http.origins import is_foreign
from runicorn.errors import Denied, InvalidInput, NotLoggedIn, RunicornError

GetResponse = Callable[[HttpRequest], HttpResponse]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: The views that nobody needs to be known for, by the names of their addresses. Everything else is closed.
OPEN_VIEWS = frozenset(
    {
        "login",
        "set_up",
        # the log-in page's own language and texts
        "set_language",
        "javascript-catalog",
        # what watches a server asks it whether it is there; strangers learn no more than that
        "api:health",
    }
)


class TokenMiddleware:
    """Sets ``request.api_token`` and refuses nothing: rate limits count whom we refuse as well.

    request.api_token: the token that counts, else None. request.refusal: why a presented token does not, else None.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.api_token = request.refusal = None
        try:
            request.api_token = token_from(request.headers.get("Authorization"), at=timezone.now())
        except NotLoggedIn as refusal:
            request.refusal = refusal
        return self._get_response(request)


class IdentityMiddleware:
    """Sets ``request.user``: the token's owner, who is logged in, or the account of this machine."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.api_token is not None:
            request.user = request.api_token.owner
        elif not is_login_required():
            request.user = user_without_login(request.user)
        return self._get_response(request)


class AccessMiddleware:
    """Refuses requests of strangers where there is a login, and changes that a page of another origin asks for.

    Without a login the second rule is all that keeps any page the user opens from deleting runs. Programs (curl, the
    Python client) send no Origin and are not affected.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            _check_caller(request)
            if request.method not in SAFE_METHODS and request.api_token is None:
                _check_origin(request)
        except RunicornError as refusal:
            return _refused(request, refusal)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object) -> HttpResponse | None:
        """Refuse a body that the view does not parse: a form of another origin needs no leave for some types."""
        parsers = getattr(getattr(view, "cls", None), "parser_classes", None)
        if request.method in SAFE_METHODS or parsers is None or not _has_body(request):
            return None
        accepted = [parser.media_type for parser in parsers]
        if request.content_type.lower() in accepted:
            return None
        return _refused(request, InvalidInput(f"Send the body as {' or '.join(accepted)} (header Content-Type)."))


def _check_caller(request: HttpRequest) -> None:
    """Raises NotLoggedIn for a token that does not count, and for a stranger where there is a login."""
    if request.refusal is not None:
        raise request.refusal
    if not is_known(request) and not _is_open(request.path_info):
        raise NotLoggedIn("Log in, or send an API token: Authorization: Bearer TOKEN.")


def _is_open(path: str) -> bool:
    try:
        return resolve(path).view_name in OPEN_VIEWS
    except Resolver404:
        return False


def _check_origin(request: HttpRequest) -> None:
    """Raises Denied for a change that a foreign page asks for. The caller has no token."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if is_foreign(origin=request.headers.get("Origin"), fetch_site=fetch_site, host=request.get_host()):
        raise Denied(
            "A page of another origin may not change anything here without an API token; use the viewer's own pages "
            "or a program."
        )
    if is_login_required() and wants_json(request):  # DRF's views are exempt from Django's own check
        check = CSRFCheck(lambda _: HttpResponse())
        check.process_request(request)
        if check.process_view(request, None, (), {}):
            raise Denied("A page that is logged in must send the header X-CSRFToken with its changes.")


def _has_body(request: HttpRequest) -> bool:
    return request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in request.META


def _refused(request: HttpRequest, refusal: RunicornError) -> HttpResponse:
    """The answer to a refusal: a person who is not logged in is led to where that is done."""
    problem = problem_from(refusal)
    assert problem is not None  # every RunicornError has one
    if problem.status != HTTPStatus.UNAUTHORIZED or wants_json(request):
        return problem_response(request, problem)
    if "HX-Request" in request.headers:
        return HttpResponse(status=problem.status, headers={"HX-Redirect": _login_url(request)})
    if request.refusal is not None or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return HttpResponse(problem.detail, status=problem.status, content_type="text/plain; charset=utf-8")
    return redirect(_login_url(request))


def _login_url(request: HttpRequest) -> str:
    """The log-in page, which leads back: to the page that is open (htmx), or to the one that was asked for."""
    back = request.headers.get("HX-Current-URL", "") if "HX-Request" in request.headers else ""
    if not back:
        back = request.get_full_path() if request.method in SAFE_METHODS else "/"
    return f"{reverse('login')}?{urlencode({'next': back})}"
