"""The link that makes the first account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.experiments.access.people import PASSWORD
from tests.server import ViewerServer, running_server

NEW_LINK = (
    "from datetime import timedelta\nfrom django.utils.timezone import now\n"
    "from experiments.accounts.services import new_set_up_link\nprint(new_set_up_link(at={at}))"
)
FORGET = (
    "from django.contrib.auth.models import User\nfrom experiments.accounts.models import SetUpLink\n"
    "User.objects.all().delete(); SetUpLink.objects.all().delete()"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    with running_server(tmp_path_factory.mktemp("new"), RUNICORN_HOST="0.0.0.0") as server:
        yield server


@pytest.fixture
def link(server: ViewerServer) -> str:
    """The path of a fresh link; there is no account."""
    server.run_python(FORGET)
    return f"/set-up/{new_link(server)}"


def new_link(server: ViewerServer, *, at: str = "now()") -> str:
    return server.run_python(NEW_LINK.format(at=at)).strip()


def client_of(server: ViewerServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=30)


def use(client: httpx.Client, link: str, *, name: str = "ana", password: str = PASSWORD) -> httpx.Response:
    page = client.get(link)
    if page.status_code != 200:
        return page
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = {"username": name, "password1": password, "password2": password, "csrfmiddlewaretoken": token}
    return client.post(link, data=form)


def test_it_makes_an_administrator_who_is_logged_in(server: ViewerServer, link: str):
    with client_of(server) as client:
        assert use(client, link).headers["Location"] == "/runs"
        assert client.get("/runs").status_code == 200
        assert client.get("/admin/").status_code == 200


def test_it_works_once(server: ViewerServer, link: str):
    with client_of(server) as first, client_of(server) as second:
        use(first, link)

        assert use(second, link, name="eve").status_code == 403
    assert new_link(server) == "None"


def test_of_many_who_use_it_at_once_one_wins(server: ViewerServer, link: str):
    def one(number: int) -> int:
        with client_of(server) as client:
            return use(client, link, name=f"user{number}").status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(one, range(8)))

    assert statuses == [302, *[403] * 7]
    count = "from django.contrib.auth.models import User; print(User.objects.count())"
    assert server.run_python(count).strip() == "1"


def test_an_earlier_an_expired_and_a_guessed_link_make_nothing(server: ViewerServer, link: str):
    new_link(server)
    expired = f"/set-up/{new_link(server, at='now() - timedelta(hours=25)')}"

    with client_of(server) as client:
        assert [use(client, path).status_code for path in (link, expired, "/set-up/guess")] == [403] * 3


def test_a_weak_password_is_refused_with_the_reason_and_the_link_still_counts(server: ViewerServer, link: str):
    with client_of(server) as client:
        weak = use(client, link, password="password")
        assert (weak.status_code, "too common" in weak.text) == (200, True)

        assert use(client, link).status_code == 302


def test_its_secret_is_stored_nowhere(server: ViewerServer, link: str):
    secret = link.rpartition("/")[2].encode()

    folder = server.storage.parent
    assert [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()] == []
