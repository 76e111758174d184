"""RUNICORN_REDIS_URL: what is taken, and that an error shows no part of a password."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from runicorn_site import environment
from runicorn_site.redis_server import place_of

PASSWORD = "geheim"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://redis", "redis"),
        ("redis://127.0.0.1:6379/3", "127.0.0.1:6379"),
        ("redis://:geheim@[::1]:6379/0", "[::1]:6379"),
        ("rediss://ana:geh%40im@redis.lab.example:6380", "redis.lab.example:6380"),
        ("unix:///run/redis/redis.sock", "/run/redis/redis.sock"),
        ("unix://:geheim@/run/redis.sock?db=2", "/run/redis.sock"),
    ],
)
def test_an_address_is_taken_as_it_is_and_can_be_shown_without_its_password(monkeypatch, url, place):
    monkeypatch.setenv("RUNICORN_REDIS_URL", f" {url} ")

    assert environment.redis_url() == url
    assert place_of(url) == place


@pytest.mark.parametrize("value", ["", "  "])
def test_without_an_address_there_is_no_redis(monkeypatch, value):
    monkeypatch.setenv("RUNICORN_REDIS_URL", value)

    assert environment.redis_url() is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("geheim", "does not begin with"),
        ("http://:geheim@redis", "does not begin with"),
        ("redis://", "names no host"),
        ("redis:///0", "names no host"),
        ("redis://:geheim@", "names no host"),
        ("redis://:geheim@redis:port", "no host and port"),
        ("redis://:geheim@redis:99999", "no host and port"),
        ("redis://:geheim@redis:0", "names no host"),
        ("redis://[:geheim@redis", "no host and port"),
        ("redis://:geheim@redis/zero", "no number"),
        ("redis://:geheim@redis/0/1", "no number"),
        ("redis://:ge/heim@redis", "names no host"),
        ("redis://ana:ge/heim@redis", "no host and port"),
        ("redis://ana:1/geheim@redis", "no number"),
        ("redis://:ge#heim@redis", "more than an address"),
        ("redis://:ge?heim=@redis", "more than an address"),
        ("redis://:ge?heim@redis", "no host and port"),
        ("redis://redis?password=geheim", "more than an address"),
        ("redis://redis?socket_timeout=60", "more than an address"),
        ("rediss://redis?ssl_cert_reqs=none", "more than an address"),
        ("rediss://:geheim@redis?ssl_ca_certs=/nowhere/ca.pem", "not there"),
        ("unix://run/redis.sock", "names no socket"),
        ("unix:///", "names no socket"),
        ("unix:///run/redis.sock?db=geheim", "no number"),
    ],
)
def test_what_is_no_address_is_an_error_that_names_the_variable_and_shows_nothing_of_it(monkeypatch, url, reason):
    monkeypatch.setenv("RUNICORN_REDIS_URL", url)

    with pytest.raises(ImproperlyConfigured, match=f"^RUNICORN_REDIS_URL .*{reason}") as raised:
        environment.redis_url()

    assert not any(part in str(raised.value) for part in (PASSWORD, "heim"))
    assert "redis://HOST:6379/0" in str(raised.value)


def test_a_file_of_certificates_may_be_named(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("")
    monkeypatch.setenv("RUNICORN_REDIS_URL", f"rediss://redis?ssl_ca_certs={tmp_path}/ca.pem")

    assert environment.redis_url() is not None
