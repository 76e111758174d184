"""`runicorn rate-limit`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import COMMAND, runicorn, user_environment
from tests.server import write_limits

SHIPPED = {
    "default": {"max_requests": 6000, "window_seconds": 60, "burst_size": None},
    "endpoints": {"/api/ssh/connect": {"max_requests": 10, "window_seconds": 60}},
    "settings": {"enable_rate_limiting": False, "log_violations": True},
}


def rate_limit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return runicorn("rate-limit", *arguments, folder=folder)


def stored(folder: Path) -> Any:
    return json.loads(file_of(folder).read_text())


def file_of(folder: Path) -> Path:
    return folder / "config" / "runicorn" / "rate_limits.json"


def test_without_an_action_it_shows_what_is_in_force_as_json_and_writes_nothing(tmp_path):
    done = rate_limit(tmp_path)

    shown = json.loads(done.stdout)
    assert done.returncode == 0
    assert shown["default"] == {"max_requests": 60, "window_seconds": 60, "burst_size": None}
    assert shown["endpoints"] == {}
    assert shown["settings"]["enable_rate_limiting"] is True
    assert shown["settings"]["custom_headers"]["rate_limit_reset_header"] == "X-RateLimit-Reset"
    v2 = next(entry for entry in shown["built_in"] if entry["endpoint"] == "/api/v2")
    assert (v2["methods"], v2["max_requests"]) == (["GET"], 100)
    assert not (tmp_path / "config").exists()


def test_what_it_shows_can_be_stored_as_the_file(tmp_path):
    rate_limit(tmp_path, "--action", "set", "--endpoint", "/api/runs", "--max-requests", "7", "--burst", "2")
    shown = rate_limit(tmp_path, "--action", "show").stdout
    file_of(tmp_path).write_text(shown)

    assert rate_limit(tmp_path, "--action", "show").stdout == shown


def test_list_has_a_line_for_the_default_and_for_each_endpoint(tmp_path):
    rate_limit(tmp_path, "--action", "set", "--endpoint", "/api/runs", "--max-requests", "30", "--window", "10")

    lines = [line.split() for line in rate_limit(tmp_path, "--action", "list").stdout.splitlines()]

    assert lines[0] == ["default", "60/60s"]
    assert ["/api/runs", "30/10s", "yours"] in lines
    assert ["/api/v2", "(GET)", "100/60s", "V2", "queries"] in lines
    assert ["/api/ssh/connect", "5/60s", "SSH", "connect"] in lines
    assert not [line for line in lines if line[0] == "/api/runs/soft-delete"]  # that of /api/runs is in force there


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/health", "/api/health: 60/60s (the default)\n"),
        ("/api/ssh/connect/", "/api/ssh/connect: 5/60s (built-in limit of /api/ssh/connect)\n"),
        ("/api/runs/x", "/api/runs/x: 30/60s (at most 5/s) (your limit of /api/runs)\n"),
        (
            "/api/v2/experiments",
            "/api/v2/experiments: 100/60s for GET (built-in limit of /api/v2)\n"
            "/api/v2/experiments: 60/60s (the default)\n",
        ),
    ],
)
def test_get_says_which_limit_is_in_force_for_a_path(tmp_path, path, expected):
    write_limits(tmp_path / "config", {"endpoints": {"/api/runs": {"max_requests": 30, "burst_size": 5}}})

    done = rate_limit(tmp_path, "--action", "get", "--endpoint", path)

    assert (done.returncode, done.stdout) == (0, expected)


def test_set_stores_a_limit_for_its_owner_only_and_keeps_the_rest_of_the_file(tmp_path):
    write_limits(tmp_path / "config", {"endpoints": {"/api/runs/": {"max_requests": 1}}, "of a later version": [1]})

    done = rate_limit(
        tmp_path, "--action=set", "--endpoint=/api/runs", "--max-requests=30", "--burst=4", "--description=列表"
    )

    assert done.returncode == 0
    assert done.stdout.startswith("/api/runs: 30/60s (at most 4/s)")
    entry = {"max_requests": 30, "window_seconds": 60, "burst_size": 4, "description": "列表"}
    assert stored(tmp_path) == {"endpoints": {"/api/runs": entry}, "of a later version": [1]}
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_first_change_leaves_behind_the_defaults_that_041_copied(tmp_path):
    write_limits(tmp_path / "config", SHIPPED)

    rate_limit(tmp_path, "--action", "set", "--endpoint", "/api/runs", "--max-requests", "30")

    assert stored(tmp_path)["settings"] == {"log_violations": True}
    assert list(stored(tmp_path)["endpoints"]) == ["/api/runs"]


def test_remove_deletes_the_entry_and_says_when_there_is_none(tmp_path):
    write_limits(tmp_path / "config", {"endpoints": {"/api/runs/": {"max_requests": 1}}})

    first = rate_limit(tmp_path, "--action", "remove", "--endpoint", "/api/runs")
    second = rate_limit(tmp_path, "--action", "remove", "--endpoint", "/api/runs")

    assert (first.returncode, first.stdout) == (0, "Removed the limit of /api/runs.\n")
    assert (second.returncode, second.stderr) == (1, "")
    assert "There is no limit of yours for /api/runs" in second.stdout
    assert stored(tmp_path) == {"endpoints": {}}


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--disable", "Rate limiting      : off"),
        ("--enable", "Rate limiting      : on"),
        ("--no-log-violations", "Log of refusals    : off"),
        ("--log-violations", "Log of refusals    : on"),
        ("--whitelist-localhost", "Localhost exempted : on"),
        ("--no-whitelist-localhost", "Localhost exempted : off"),
        ("--max-log-streams=9", "Logs at a time     : 9 from one address, but for this machine"),
    ],
)
def test_settings_stores_a_switch_and_prints_all(tmp_path, flag, line):
    done = rate_limit(tmp_path, "--action", "settings", flag)

    assert done.returncode == 0
    assert line in done.stdout.splitlines()
    assert done.stdout == rate_limit(tmp_path, "--action", "settings").stdout


def test_who_asks_while_limiting_is_off_is_told(tmp_path):
    rate_limit(tmp_path, "--action", "settings", "--disable")

    for arguments in (["--action", "list"], ["--action", "get", "--endpoint", "/api/runs"]):
        assert rate_limit(tmp_path, *arguments).stdout.startswith("Rate limiting is off")


@pytest.mark.parametrize("content", ['{"default": {"max_requests": 9}}', "broken"])
def test_reset_goes_back_to_the_built_in_limits_even_from_a_broken_file(tmp_path, content):
    write_limits(tmp_path / "config", {}).write_text(content)

    done = rate_limit(tmp_path, "--action", "reset", "--yes")

    assert (done.returncode, done.stderr) == (0, "")
    assert not file_of(tmp_path).exists()
    assert rate_limit(tmp_path, "--action", "reset", "-y").returncode == 0


def test_reset_refuses_where_nobody_can_be_asked(tmp_path):
    write_limits(tmp_path / "config", {})

    done = rate_limit(tmp_path, "--action", "reset")

    assert (done.returncode, done.stdout) == (1, "")
    assert "--yes" in done.stderr
    assert file_of(tmp_path).exists()


@pytest.mark.parametrize(("answer", "code", "remains"), [(b"n\n", 1, True), (b"y\n", 0, False)])
def test_reset_asks_at_a_terminal(tmp_path, answer, code, remains):
    write_limits(tmp_path / "config", {})
    ours, theirs = pty.openpty()
    os.write(ours, answer)

    done = subprocess.run(
        [*COMMAND, "rate-limit", "--action", "reset"],
        cwd=tmp_path,
        env=user_environment(tmp_path),
        stdin=theirs,
        capture_output=True,
        timeout=60,
        check=False,
    )

    os.close(ours)
    os.close(theirs)
    assert (done.returncode, file_of(tmp_path).exists()) == (code, remains)


PROBLEMS: list[tuple[str, str]] = [
    ("{", "is not valid JSON"),
    ("[]", "holds no JSON object"),
    ('{"default": 60}', "default is 60; give an object."),
    ('{"default": {"max_requests": 0}}', "default.max_requests is 0;"),
    ('{"default": {}}', "default.max_requests is None;"),
    ('{"default": {"max_requests": true}}', "default.max_requests is True;"),
    ('{"endpoints": {"api/runs": {"max_requests": 1}}}', "endpoints.\"api/runs\" does not start with '/'"),
    ('{"endpoints": {"/api": {"max_requests": 1, "window_seconds": 1.5}}}', "window_seconds is 1.5;"),
    ('{"endpoints": {"/api": {"max_requests": 1, "burst_size": "3"}}}', "burst_size is '3';"),
    ('{"endpoints": {"/api": {"max_requests": 1, "description": 3}}}', "description is 3;"),
    ('{"settings": {"enable_rate_limiting": "yes"}}', "settings.enable_rate_limiting is 'yes';"),
    ('{"settings": {"max_log_streams": 0}}', "settings.max_log_streams is 0;"),
    ('{"settings": {"custom_headers": {"rate_limit_header": "a b"}}}', "rate_limit_header is 'a b';"),
]


@pytest.mark.parametrize(("content", "problem"), PROBLEMS)
def test_validate_names_the_first_problem(tmp_path, content, problem):
    write_limits(tmp_path / "config", {}).write_text(content)

    done = rate_limit(tmp_path, "--action", "validate")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert problem in done.stderr


@pytest.mark.parametrize("content", ["{}", json.dumps(SHIPPED), '{"unknown": 1}'])
def test_validate_says_that_a_file_is_valid(tmp_path, content):
    assert "There is no " in rate_limit(tmp_path, "--action", "validate").stdout
    write_limits(tmp_path / "config", {}).write_text(content)

    done = rate_limit(tmp_path, "--action", "validate")

    assert (done.returncode, done.stdout) == (0, f"{file_of(tmp_path)} is valid.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--action", "get"],
        ["--action", "remove"],
        ["--action", "set", "--max-requests", "5"],
        ["--action", "set", "--endpoint", "/api/runs"],
        ["--action", "set", "--endpoint", "api/runs", "--max-requests", "5"],
        ["--action", "set", "--endpoint", "/api/runs", "--max-requests", "0"],
        ["--action", "set", "--endpoint", "/api/runs", "--max-requests", "5", "--window", "-1"],
        ["--action", "set", "--endpoint", "/api/runs", "--max-requests", "5", "--burst", "0"],
    ],
)
def test_what_is_missing_or_wrong_exits_with_1_and_stores_nothing(tmp_path, arguments):
    done = rate_limit(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert not file_of(tmp_path).exists()


def test_a_file_with_a_problem_is_not_changed(tmp_path):
    write_limits(tmp_path / "config", {"endpoints": 5})

    done = rate_limit(tmp_path, "--action", "set", "--endpoint", "/api/runs", "--max-requests", "5")

    assert (done.returncode, done.stderr) == (1, "Error: endpoints is 5; give an object.\n")
    assert stored(tmp_path) == {"endpoints": 5}


def test_many_who_change_the_file_at_once_lose_nothing(tmp_path):
    arguments = ["rate-limit", "--action", "set", "--max-requests", "5", "--endpoint"]
    environment = user_environment(tmp_path)
    processes = [
        subprocess.Popen([*COMMAND, *arguments, f"/api/{number}"], env=environment, stdout=subprocess.DEVNULL)
        for number in range(8)
    ]

    assert [process.wait(60) for process in processes] == [0] * 8
    assert sorted(stored(tmp_path)["endpoints"]) == [f"/api/{number}" for number in range(8)]
