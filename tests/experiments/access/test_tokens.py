"""API tokens, on a viewer without a login: what they allow, and when they count no longer."""

from __future__ import annotations

import httpx
import pytest

from tests.experiments.access.people import FOREIGN, bearer, make_token
from tests.server import ViewerServer


def test_a_page_of_another_origin_may_change_something_with_a_valid_token(
    local: httpx.Client, local_server: ViewerServer
):
    headers = {"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}
    secret = make_token(local_server, owner=None, name="a notebook elsewhere")

    assert local.post("/api/status/check", headers=headers).status_code == 403
    assert local.post("/api/status/check", headers=headers | bearer(secret)).status_code == 200


@pytest.mark.parametrize("secret", ["rcn_unknown", "ä", "rcn_ x"])
@pytest.mark.parametrize("address", ["/api/runs", "/api/health", "/api/nope", "/runs"])
def test_a_token_that_does_not_count_is_a_401_and_never_nobody(local: httpx.Client, secret: str, address: str):
    answer = local.get(address, headers={"Authorization": f"bearer {secret}".encode("latin-1")})

    assert answer.status_code == 401
    if address.startswith("/api"):
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="runicorn"'
        assert answer.json()["error_code"] == "NOT_LOGGED_IN"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_a_proxy_authenticates_with_is_none_of_our_business(local: httpx.Client):
    assert local.get("/api/runs", auth=("ana", "secret")).status_code == 200


def test_an_expired_a_revoked_and_a_disabled_owners_token_do_not_count(local: httpx.Client, local_server: ViewerServer):
    fresh = make_token(local_server, owner=None, name="fresh", expires="now() + timedelta(hours=1)")
    expired = make_token(local_server, owner=None, name="expired", expires="now() - timedelta(seconds=1)")
    revoked = make_token(local_server, owner=None, name="revoked")
    local_server.run_python(
        "from experiments.accounts.models import ApiToken\n"
        "from experiments.accounts.services import local_account, revoke_token\n"
        'revoke_token(local_account(), ApiToken.objects.get(name="revoked").pk)\n'
    )

    codes = [local.get("/api/runs", headers=bearer(secret)).status_code for secret in (fresh, expired, revoked)]
    assert codes == [200, 401, 401]
    active = "from django.contrib.auth.models import User; User.objects.filter(username='local account').update({})"
    local_server.run_python(active.format("is_active=False"))
    assert local.get("/api/runs", headers=bearer(fresh)).status_code == 401
    local_server.run_python(active.format("is_active=True"))


def test_when_a_token_was_used_is_noted_once_a_minute(local: httpx.Client, local_server: ViewerServer):
    secret = make_token(local_server, owner=None, name="used")
    read = "from experiments.accounts.models import ApiToken; print(ApiToken.objects.get(name='used').last_used_at)"
    before = local_server.run_python(read).strip()

    local.get("/api/runs", headers=bearer(secret))
    first = local_server.run_python(read).strip()
    local.get("/api/runs", headers=bearer(secret))

    assert (before, first != "None") == ("None", True)
    assert local_server.run_python(read).strip() == first


def test_a_secret_is_stored_and_logged_nowhere(local: httpx.Client, local_server: ViewerServer):
    secret = make_token(local_server, owner=None, name="grepped")
    local.get("/api/runs", headers=bearer(secret))
    local.get("/api/nope", headers=bearer(secret))

    folder = local_server.storage.parent
    holding = [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]

    assert secret.startswith("rcn_")
    assert len(secret) > 40
    assert holding == []
