"""What an administrator sets: names, origins and proxies; and when everybody has to log in."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from runicorn_site import environment


@pytest.mark.parametrize(
    ("host", "variables", "required"),
    [
        ("127.0.0.1", {}, False),
        ("127.4.5.6", {}, False),
        ("::1", {}, False),
        ("localhost", {}, False),
        ("0.0.0.0", {}, True),
        ("::", {}, True),
        ("192.0.2.7", {}, True),
        ("no-such-host.invalid", {}, True),
        ("0.0.0.0", {"RUNICORN_NO_AUTH": "1"}, False),
        ("127.0.0.1", {"RUNICORN_ALLOWED_HOSTS": "runs.lab.example"}, True),
        ("127.0.0.1", {"RUNICORN_TRUSTED_PROXIES": "127.0.0.1"}, True),
        ("127.0.0.1", {"RUNICORN_TRUSTED_PROXIES": "127.0.0.1", "RUNICORN_NO_AUTH": "1"}, False),
        ("127.0.0.1", {"RUNICORN_ALLOWED_ORIGINS": "https://elsewhere.example"}, False),
    ],
)
def test_a_login_is_required_where_others_can_reach_the_viewer(monkeypatch, host, variables, required):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert environment.login_required(host) is required


def test_further_host_names_are_answered(monkeypatch):
    monkeypatch.setenv("RUNICORN_ALLOWED_HOSTS", "Runs.Lab.example, 2001:db8::7,[2001:db8::8]")

    hosts = environment.allowed_hosts("127.0.0.1")

    assert {"runs.lab.example", "[2001:db8::7]", "[2001:db8::8]", "localhost"} <= set(hosts)


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        (None, None),
        ("", None),
        ("none", frozenset()),
        ("https://a.example, http://[::1]:8080", frozenset({"https://a.example", "http://[::1]:8080"})),
    ],
)
def test_origins_are_listed_or_any(monkeypatch, value, origins):
    if value is not None:
        monkeypatch.setenv("RUNICORN_ALLOWED_ORIGINS", value)

    assert environment.allowed_origins() == origins


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("RUNICORN_ALLOWED_HOSTS", "*", environment.further_hosts),
        ("RUNICORN_ALLOWED_HOSTS", "https://runs.lab.example", environment.further_hosts),
        ("RUNICORN_ALLOWED_ORIGINS", "*", environment.allowed_origins),
        ("RUNICORN_ALLOWED_ORIGINS", "elsewhere.example", environment.allowed_origins),
        ("RUNICORN_ALLOWED_ORIGINS", "https://elsewhere.example/", environment.allowed_origins),
        ("RUNICORN_TRUSTED_PROXIES", "proxy.lab.example", environment.trusted_proxies),
        ("RUNICORN_TRUSTED_PROXIES", "10.0.0.1/8", environment.trusted_proxies),
        ("RUNICORN_NO_AUTH", "yes", environment.no_auth),
    ],
)
def test_a_value_that_makes_no_sense_is_an_error_that_names_its_variable(monkeypatch, variable, value, read):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ImproperlyConfigured, match=variable):
        read()
