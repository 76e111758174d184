"""The pages of accounts: log in, the first account, settings with API tokens."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experiments.access import name_of
from experiments.accounts import throttle
from experiments.accounts.forms import FirstAccountForm, TokenForm
from experiments.accounts.identity import is_login_required
from experiments.accounts.queries import tokens_of
from experiments.accounts.services import (
    check_set_up_link,
    create_token,
    has_accounts,
    make_first_account,
    revoke_token,
)
from experiments.http.clients import client_address
from experiments.http.limits.in_force import limits_in_force
from experiments.queries.roots import local_root_path
from experiments.queries.shell import page_shell
from experiments.services.roots import switch_root
from runicorn.errors import Conflict, InvalidInput, RunicornError, UnreadableDocument
from runicorn.rate_limits.document import limits_file


class Login(LoginView):
    """Django's view, with a limit to attempts. Where nobody has to log in, there is nothing to do here."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"has_accounts": has_accounts()}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait_s = throttle.wait_before_login(
            address=client_address(request),
            username=request.POST.get("username", ""),
            cookie=request.COOKIES.get(throttle.COOKIE_NAME, ""),
            now=time.time(),
        )
        if not wait_s:
            return super().post(request, *args, **kwargs)
        # the form is not asked whether it is valid: that would look at the password
        context = self.get_context_data(form=self.get_form_class()(request)) | {"wait_minutes": -(-wait_s // 60)}
        answer = render(request, self.template_name, context, status=429)
        answer["Retry-After"] = str(wait_s)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        _remember_browser(answer, form.get_user().get_username())
        return answer


def _remember_browser(answer: HttpResponse, username: str) -> None:
    answer.set_cookie(
        throttle.COOKIE_NAME,
        throttle.cookie_for(username),
        max_age=throttle.COOKIE_LIFE_S,
        httponly=True,
        samesite="Lax",
    )


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, secret: str) -> HttpResponse:
    """The first account, for whoever has the link that the viewer printed. Raises Denied for any other link."""
    now = timezone.now()
    check_set_up_link(secret, at=now)
    form = FirstAccountForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/set_up.html", {"form": form})
    chosen = form.cleaned_data
    user = make_first_account(secret, username=chosen["username"], password=chosen["password1"], at=now)
    login(request, user)
    answer = redirect("run_list")
    _remember_browser(answer, user.get_username())
    return answer


@never_cache
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    return _settings(request, TokenForm())


@never_cache
@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    form, now = TokenForm(request.POST), timezone.now()
    if not form.is_valid():
        return _settings(request, form, status=400)
    try:
        token, secret = create_token(
            request.user, name=form.cleaned_data["name"], at=now, expires_at=form.expires_at(now)
        )
    except RunicornError as error:
        form.add_error("name", str(error))
        return _settings(request, form, status=400)
    return _settings(request, TokenForm(), new_token=token, secret=secret)


@require_POST
def end_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token. Raises NotFound."""
    revoke_token(request.user, token_id)
    messages.success(request, _("The token was revoked."))
    return redirect("settings")


@require_POST
def change_root(request: HttpRequest) -> HttpResponse:
    """Show another storage root. Refused ones stay in the field, with the reason."""
    path = request.POST.get("path", "")
    try:
        root = switch_root(path, at=time.time())
    except (InvalidInput, Conflict, UnreadableDocument) as error:
        return _settings(request, TokenForm(), status=400, refused_path=path, root_error=str(error))
    messages.success(request, _("Runs of %(root)s are shown now.") % {"root": root})
    return redirect("settings")


class ChangePassword(PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("settings")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"shell": page_shell(now=time.time())}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("The password was changed."))
        return super().form_valid(form)


def _settings(request: HttpRequest, form: TokenForm, *, status: int = 200, **shown: Any) -> HttpResponse:
    limits = limits_in_force.now()
    context = {
        "shell": page_shell(now=time.time()),
        "form": form,
        "tokens": tokens_of(request.user),
        "now": timezone.now(),
        "account": name_of(request.user),
        "is_login_required": is_login_required(),
        "root_path": str(local_root_path()),
        "limits": limits,
        "rules": [(rule, ", ".join(sorted(rule.methods))) for rule in limits.rules],
        "limits_path": str(limits_file()),
        **shown,
    }
    return render(request, "accounts/settings.html", context, status=status)
