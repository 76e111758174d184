"""What holds for every command: help, version, exit codes, streams."""

from __future__ import annotations

import pytest

import runicorn as library
from tests.command_line import runicorn


def test_version_names_ours_and_that_of_the_api_it_is_compatible_with(tmp_path):
    done = runicorn("--version", folder=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"runicorn {library.__version__} (API 0.4.1)\n")


def test_no_command_is_a_usage_error_that_lists_the_commands(tmp_path):
    done = runicorn(folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    for command in ("viewer", "serve", "mirror", "reindex", "config", "rate-limit", "doctor", "demo"):
        assert f"\n  {command} " in done.stderr
    assert "demo-train" not in done.stderr


@pytest.mark.parametrize("command", ["viewer", "serve", "mirror", "reindex", "config", "rate-limit", "doctor", "demo"])
def test_every_command_explains_itself(tmp_path, command):
    done = runicorn(command, "--help", folder=tmp_path)

    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: runicorn {command} [OPTIONS]\n")


@pytest.mark.parametrize("arguments", [("fly",), ("viewer", "--wings"), ("viewer", "--port", "70000")])
def test_bad_arguments_exit_with_2_and_say_so_on_stderr(tmp_path, arguments):
    done = runicorn(*arguments, folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def test_a_root_that_cannot_be_used_is_named_without_a_traceback(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    done = runicorn("viewer", "--storage", "file", folder=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: The storage root {tmp_path / 'file'} cannot be used")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--storage", "mine", "reindex"), ("reindex", "--storage", "mine")], ids=["before", "after"]
)
def test_storage_may_stand_before_or_after_the_command(tmp_path, arguments):
    done = runicorn(*arguments, folder=tmp_path, RUNICORN_DIR=str(tmp_path / "other"))

    assert (done.returncode, done.stdout) == (0, f"Indexed 0 runs and 0 artifacts of {tmp_path / 'mine'}\n")
    assert not (tmp_path / "other").exists()
