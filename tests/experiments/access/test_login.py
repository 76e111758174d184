"""Logging in and out, and guessing passwords."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from experiments.accounts import throttle
from tests.experiments.access.people import PASSWORD, make_account
from tests.server import ViewerServer

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _no_attempts() -> None:
    throttle.cache.clear()


def log_in(client: httpx.Client, *, name: str = "ana", password: str = PASSWORD, back: str = "/runs") -> httpx.Response:
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(f"/login?next={back}").text)[1]
    form = {"username": name, "password": password, "next": back, "csrfmiddlewaretoken": token}
    return client.post("/login", data=form, headers={"Referer": str(client.base_url)})


def test_a_stranger_who_asks_for_a_page_is_led_back_to_it_after_logging_in(lab: httpx.Client):
    asked = lab.get("/runs?project=vision")
    assert asked.headers["Location"] == "/login?next=%2Fruns%3Fproject%3Dvision"

    answer = log_in(lab, back="/runs%3Fproject%3Dvision".replace("%3F", "?").replace("%3D", "="))

    assert (answer.status_code, answer.headers["Location"]) == (302, "/runs?project=vision")
    assert "Log out" in lab.get("/runs").text


def test_a_session_is_kept_from_scripts_and_foreign_pages(lab: httpx.Client):
    cookies = [line for line in log_in(lab).headers.get_list("set-cookie") if "runicorn_session" in line]

    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert "Secure" not in cookies[0]


def test_after_logging_out_nothing_opens(lab: httpx.Client):
    log_in(lab)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', lab.get("/runs").text)[1]

    lab.post("/logout", data={"csrfmiddlewaretoken": token})

    assert lab.get("/runs").status_code == 302
    assert lab.get("/api/runs").status_code == 401


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(lab: httpx.Client, back: str):
    assert log_in(lab, back=back).headers["Location"] == "/runs"


def test_a_wrong_password_says_no_more_than_that_and_is_written_nowhere(lab: httpx.Client, lab_server: ViewerServer):
    unknown = log_in(lab, name="nobody", password="a secret guess")
    wrong = log_in(lab, password="a secret guess")

    assert unknown.status_code == wrong.status_code == 200
    message = re.compile(r'role="alert">(.*?)<')
    assert message.findall(unknown.text) == message.findall(wrong.text) != []
    assert "a secret guess" not in wrong.text
    assert "a secret guess" not in lab_server.log.read_text()


def guess_until_refused(client: httpx.Client, *, name: str) -> httpx.Response:
    """The first refusal that has some seconds of its window left; one that has not is waited for."""
    for number in range(3 * throttle.ADDRESS_ATTEMPTS):
        answer = log_in(client, name=name, password=f"guess {number}")
        if answer.status_code != 429:
            continue
        wait_s = int(answer.headers["Retry-After"])
        if wait_s > 5:
            return answer
        time.sleep(wait_s)
    pytest.fail("nothing was refused")


def test_guessing_is_slowed_down_even_with_the_right_password(lab_server: ViewerServer):
    make_account(lab_server, "bob")
    with httpx.Client(base_url=lab_server.url, transport=httpx.HTTPTransport(local_address="127.0.9.1")) as guesser:
        refused = guess_until_refused(guesser, name="bob")
        right = log_in(guesser, name="bob")

    assert right.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= throttle.WINDOW_S
    assert "Too many attempts" in right.text
    with httpx.Client(base_url=lab_server.url, transport=httpx.HTTPTransport(local_address="127.0.9.2")) as elsewhere:
        assert log_in(elsewhere, name="bob").status_code == 302


def attempt(*, address: str = "192.0.2.1", username: str = "ana", cookie: str = "", now: float = NOW) -> int:
    return throttle.wait_before_login(address=address, username=username, cookie=cookie, now=now)


def test_an_account_cannot_be_guessed_from_many_addresses():
    waits = [attempt(address=f"192.0.2.{number}") for number in range(throttle.ACCOUNT_ATTEMPTS + 1)]

    assert (waits[-2], waits[-1] > 0) == (0, True)
    assert attempt(address="198.51.100.1", username="ANA") > 0
    assert attempt(address="198.51.100.1", username="bob") == 0


def test_strangers_do_not_lock_the_owner_out_of_a_browser_he_has_used():
    for number in range(throttle.ACCOUNT_ATTEMPTS + 1):
        attempt(address=f"192.0.2.{number}")

    assert attempt(cookie=throttle.cookie_for("ana")) == 0
    assert attempt(cookie=throttle.cookie_for("bob")) > 0
    assert attempt(cookie="forged") > 0


def test_a_known_browser_is_slowed_down_too():
    cookie = throttle.cookie_for("ana")
    waits = [attempt(cookie=cookie) for _ in range(throttle.KNOWN_BROWSER_ATTEMPTS + 1)]

    assert (waits[-2], waits[-1] > 0) == (0, True)


def test_the_next_window_begins_anew():
    for _ in range(throttle.ADDRESS_ATTEMPTS):
        attempt()
    wait = attempt(now=NOW + 1)

    assert attempt(now=NOW + 1 + wait) == 0
