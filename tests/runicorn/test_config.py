"""Which storage root a script writes to, and where the per-user folders lie."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path, PurePosixPath

import pytest

from runicorn import config
from runicorn.errors import InvalidInput, UnreadableDocument, UnusableRoot
from runicorn.storage.filesystems import type_of_mount

MOUNTS = (
    "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "40 21 0:45 / /home rw,relatime shared:2 - nfs4 server:/home rw\n"
    "41 40 0:46 / /home/ana/my\\040cloud rw shared:3 - fuse.sshfs ana@gpu: rw\n"
    "42 40 8:2 / /home/ana/scratch rw shared:4 - xfs /dev/sdb1 rw\n"
)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A user without any configuration, in a working folder of its own."""
    for variable in ("RUNICORN_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    return home


def test_the_explicit_argument_beats_the_environment_which_beats_the_user_s_configuration(user, monkeypatch):
    fallback = config.resolve_storage_root()
    config.write_user_root(user / "configured")
    configured = config.resolve_storage_root()
    monkeypatch.setenv("RUNICORN_DIR", str(user / "variable"))
    variable = config.resolve_storage_root()
    explicit = config.resolve_storage_root("explicit")

    assert fallback == user / "work" / ".runicorn"
    assert configured == user / "configured"
    assert variable == user / "variable"
    assert explicit == user / "work" / "explicit"


def test_a_root_is_created_with_its_parents_and_the_tilde_is_expanded(user):
    root = config.resolve_storage_root("~/a/b/c")

    assert root == user / "a" / "b" / "c"
    assert root.is_dir()


@pytest.mark.parametrize("blank", ["", "   ", "\t"])
def test_a_blank_path_is_refused_and_does_not_become_the_working_folder(user, blank):
    with pytest.raises(InvalidInput, match="storage"):
        config.resolve_storage_root(blank)
    with pytest.raises(InvalidInput):
        config.write_user_root(blank)


def test_a_blank_variable_is_refused_by_its_name(user, monkeypatch):
    monkeypatch.setenv("RUNICORN_DIR", "  ")

    with pytest.raises(InvalidInput, match="RUNICORN_DIR"):
        config.resolve_storage_root()


def test_a_root_that_is_a_file_is_named_in_the_error(user):
    (user / "file").write_text("x")

    with pytest.raises(UnusableRoot, match=r"file.*it is a file"):
        config.resolve_storage_root(user / "file")


def test_a_broken_configuration_is_an_error_and_not_another_root(user):
    config.write_user_root(user / "configured")
    (config.user_config_dir() / "config.json").write_text("{broken")

    with pytest.raises(UnreadableDocument, match=r"config\.json"):
        config.resolve_storage_root()


def test_setting_the_root_expands_variables_keeps_other_keys_and_is_private(user, monkeypatch):
    monkeypatch.setenv("LAB", str(user / "lab"))
    config.user_config_dir().mkdir(parents=True)
    path = config.user_config_dir() / "config.json"
    path.write_text(json.dumps({"ssh_connections": [{"host": "gpu1"}]}))

    root = config.write_user_root("$LAB/runs")

    assert root == user / "lab" / "runs"
    assert json.loads(path.read_text()) == {"ssh_connections": [{"host": "gpu1"}], "user_root_dir": str(root)}
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="XDG is for Linux")
def test_the_per_user_folders_follow_xdg_and_are_the_owner_s_alone(user, monkeypatch):
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(user / variable))

    folders = config.user_config_dir(), config.user_cache_dir(), config.user_data_dir()

    assert [folder.parent.name for folder in folders] == ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders[1:]] == [0o700, 0o700]


def test_each_root_has_an_index_of_its_own_whatever_name_leads_to_it(user):
    (user / "root").mkdir()
    (user / "link").symlink_to(user / "root")

    direct, linked, other = (config.index_path(user / name) for name in ("root", "link", "other"))

    assert direct == linked != other
    assert direct.name == "index.sqlite3"
    assert direct.parent.parent == config.user_cache_dir()


def test_the_cache_moves_to_local_disk_where_the_home_is_on_a_network_file_system(user, tmp_path, monkeypatch):
    local_disk = tmp_path / "local"
    local_disk.mkdir()
    monkeypatch.setattr(config, "is_on_network", lambda path: user in path.parents)
    monkeypatch.setattr(config, "_LOCAL_DISK", local_disk)

    folder = config.user_cache_dir()

    assert folder.parent == local_disk
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_cache_folder_in_shared_space_that_others_can_write_is_refused(user, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "is_on_network", lambda path: True)
    monkeypatch.setattr(config, "_LOCAL_DISK", tmp_path)
    config.user_cache_dir().chmod(0o777)

    with pytest.raises(UnusableRoot, match="XDG_CACHE_HOME"):
        config.user_cache_dir()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/tmp", "ext4"),
        ("/home/ana/.cache", "nfs4"),
        ("/homework", "ext4"),
        ("/home/ana/my cloud/x", "sshfs"),
        ("/home/ana/scratch/cache", "xfs"),
    ],
)
def test_the_mount_that_holds_a_path_is_the_deepest_one(path, kind):
    assert type_of_mount(PurePosixPath(path), MOUNTS) == kind


@pytest.mark.parametrize(("value", "expected"), [("off", False), ("0", False), ("on", True), ("", True), ("1", True)])
def test_the_console_switch(monkeypatch, value, expected):
    monkeypatch.setenv("RUNICORN_CONSOLE", value)

    assert config.console_capture_enabled() is expected


def test_a_switch_with_another_value_is_an_error_that_names_the_variable(monkeypatch):
    monkeypatch.setenv("RUNICORN_CONSOLE", "maybe")

    with pytest.raises(InvalidInput, match="RUNICORN_CONSOLE"):
        config.console_capture_enabled()


def test_the_default_root_is_a_hidden_folder_of_the_working_folder(user):
    assert config.resolve_storage_root() == Path.cwd() / ".runicorn"
