"""Where a viewer may listen, checked before anything is started."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request

import pytest

from runicorn.cli.addresses import Address, free_address, reach_notice
from runicorn.errors import InvalidInput
from tests.command_line import runicorn, running, running_viewer

COMMANDS = ["viewer", "serve"]


@pytest.mark.parametrize("command", [*COMMANDS, "demo"])
def test_a_taken_port_is_said_before_anything_starts(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = runicorn(command, "--port", str(port), folder=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: Port {port} on 127.0.0.1 is in use.")
    assert len(done.stderr.splitlines()) == 1


def test_an_address_that_others_reach_asks_for_a_login_and_names_where_the_first_account_is_made(tmp_path):
    with running_viewer("--host", "0.0.0.0", folder=tmp_path) as viewer:
        viewer.wait_for("There is no account yet.")
        assert "has to log in" in viewer.lines[0]
        assert viewer.get("/api/health") == {"status": "ok"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            viewer.get("/api/runs")
        link = re.search(r"http://127\.0\.0\.1:\d+/set-up/\S+", viewer.output)[0]
        with urllib.request.urlopen(link, timeout=10) as answer:
            assert b"The first account" in answer.read()


def test_a_web_process_alone_names_it_too(tmp_path):
    with running("serve", "--host", "0.0.0.0", "--port", "0", folder=tmp_path) as web:
        web.wait_for("/set-up/")


def test_no_auth_serves_all_interfaces_with_a_warning(tmp_path):
    with running_viewer("--host", "0.0.0.0", "--no-auth", folder=tmp_path) as viewer:
        assert "Warning: no login." in viewer.lines[0]
        assert viewer.url.startswith("http://127.0.0.1:")
        assert viewer.get("/api/health", Host=socket.gethostname())["status"] == "ok"


def test_a_viewer_on_ipv6_loopback_answers(tmp_path):
    with running_viewer("--host", "::1", folder=tmp_path) as viewer:
        assert viewer.url.startswith("http://[::1]:")
        assert viewer.answers()


@pytest.mark.parametrize(
    ("host", "reason"), [("no-such-host.invalid", "has no address"), ("192.0.2.1", "does not belong to this machine")]
)
def test_a_host_that_is_not_this_machine_is_refused(host, reason):
    with pytest.raises(InvalidInput, match=reason):
        free_address(host, 0)


@pytest.mark.parametrize(
    ("host", "ip", "url"),
    [
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:23300"),
        ("localhost", "127.0.0.1", "http://localhost:23300"),
        ("::1", "::1", "http://[::1]:23300"),
        ("0.0.0.0", "0.0.0.0", "http://127.0.0.1:23300"),
        ("::", "::", "http://[::1]:23300"),
        ("lab", "10.0.0.7", "http://lab:23300"),
    ],
)
def test_the_url_is_one_that_a_browser_on_this_machine_can_open(host, ip, url):
    assert Address(host, ip, 23300).url == url


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_needs_no_notice(ip):
    assert reach_notice(Address(ip, ip, 23300), no_auth=False) is None


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2"])
def test_what_others_reach_has_a_login_unless_told_otherwise(ip):
    assert "has to log in" in (reach_notice(Address(ip, ip, 23300), no_auth=False) or "")
    assert "Warning: no login." in (reach_notice(Address(ip, ip, 23300), no_auth=True) or "")
