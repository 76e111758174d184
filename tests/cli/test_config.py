"""`runicorn config`."""

from __future__ import annotations

import pytest

from tests.command_line import runicorn


@pytest.mark.parametrize("arguments", [(), ("--show",)])
def test_config_shows_where_the_settings_lie_and_how_to_set_the_root(tmp_path, arguments):
    done = runicorn("config", *arguments, folder=tmp_path)

    assert done.returncode == 0
    assert done.stdout == (
        f"Config file   : {tmp_path / 'config' / 'runicorn' / 'config.json'}\n"
        "user_root_dir : (not set)\n"
        "Set it with: runicorn config --set-user-root PATH\n"
    )
    assert not (tmp_path / "config").exists()


def test_a_user_root_is_created_stored_and_then_used(tmp_path):
    done = runicorn("config", "--set-user-root", "runs", "--show", folder=tmp_path)

    assert done.returncode == 0
    assert f"Set user_root_dir to: {tmp_path / 'runs'}\n" in done.stdout
    assert f"user_root_dir : {tmp_path / 'runs'}\n" in done.stdout
    assert (tmp_path / "runs").is_dir()
    assert runicorn("reindex", folder=tmp_path).stdout == f"Indexed 0 runs and 0 artifacts of {tmp_path / 'runs'}\n"


def test_a_blank_user_root_is_refused(tmp_path):
    done = runicorn("config", "--set-user-root", " ", folder=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
