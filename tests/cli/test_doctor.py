"""`runicorn doctor`: whole installations, and each thing broken for real."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import filelock
import pytest

from runicorn import config
from tests.command_line import COMMAND, runicorn, running, running_viewer, user_environment, wait_until, write_run
from tests.components import require
from tests.server import CHECKOUT, write_limits

Findings = dict[str, list[dict[str, str]]]


def doctor(folder: Path, *arguments: str, **variables: str) -> tuple[int, Findings]:
    """Exit code and findings by subject, of the storage root ``root`` below ``folder`` and a port that is free."""
    port = ["--port", str(free_port())] if "--port" not in arguments else []
    done = runicorn("doctor", "--json", "--storage", "root", *port, *arguments, folder=folder, **variables)
    return done.returncode, found_by(done)


def found_by(done: subprocess.CompletedProcess[str]) -> Findings:
    assert done.stderr == ""
    findings: Findings = {}
    for finding in json.loads(done.stdout)["findings"]:
        findings.setdefault(finding["subject"], []).append(finding)
    return findings


def levels(findings: Findings, subject: str) -> list[str]:
    return [finding["level"] for finding in findings[subject]]


def worst(findings: Findings) -> set[str]:
    """The subjects with an error."""
    return {subject for subject in findings if "error" in levels(findings, subject)}


def text(findings: Findings, subject: str) -> str:
    return " ".join(f"{finding['message']} {finding['way_out']}" for finding in findings[subject])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.lstat().st_size if path.is_file() else 0)
        for path in folder.rglob("*")
    }


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A user's folder in which everything is there: a root with a run, settings, databases."""
    write_run(tmp_path / "root")
    assert runicorn("reindex", "--storage", "root", folder=tmp_path).returncode == 0
    write_limits(tmp_path / "config", {}).parent.chmod(0o700)
    return tmp_path


def index_of(folder: Path) -> Path:
    return folder / "cache" / "runicorn" / config.root_digest(folder / "root") / "index.sqlite3"


def test_a_new_user_has_no_errors_and_no_folders_afterwards(tmp_path):
    code, findings = doctor(tmp_path)

    assert (code, worst(findings)) == (0, set())
    assert levels(findings, "storage root") == ["warning"]
    assert list(tmp_path.iterdir()) == []


def test_a_sound_installation_has_no_errors_and_stays_as_it_is(installed):
    before = state_of(installed)

    code, findings = doctor(installed)

    assert (code, worst(findings)) == (0, set())
    for subject in ("accounts", "index"):
        assert text(findings, subject).strip().endswith("is sound and up to date.")
    assert {path for path in state_of(installed) if not path.endswith(("-shm", "-wal"))} == set(before)
    assert {**state_of(installed), **before} == state_of(installed)


def test_it_prints_a_line_for_each_finding_and_the_way_out_below(tmp_path):
    (tmp_path / "root").write_text("no folder")

    done = runicorn("doctor", "--storage", "root", "--port", str(free_port()), folder=tmp_path)

    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("error"))
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[place].split() == ["error", "storage", "root", str(tmp_path / "root"), "is", "no", "folder."]
    assert lines[place + 1].split()[0] == "→"
    assert lines[-1].startswith("1 errors, ")


def test_json_says_whether_all_is_well(installed):
    done = runicorn("doctor", "--json", "--storage", "root", "--port", str(free_port()), folder=installed)

    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert all(set(finding) == {"subject", "level", "message", "way_out"} for finding in answer["findings"])
    assert all(bool(finding["way_out"]) is (finding["level"] != "ok") for finding in answer["findings"])


# Folders ---------------------------------------------------------------------------------------------------------


def test_a_root_that_is_named_by_a_broken_setting_is_an_error(tmp_path):
    file = tmp_path / "config" / "runicorn" / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")

    done = runicorn("doctor", "--json", folder=tmp_path)

    assert done.returncode == 1
    assert "config.json is not valid JSON" in text(found_by(done), "storage root")


SUBJECTS = {"config": "configuration", "data": "data", "cache": "cache"}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_folder_that_is_a_file_is_an_error(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "runicorn").write_text("")

    code, findings = doctor(tmp_path)

    assert (code, worst(findings) & set(SUBJECTS.values())) == (1, {SUBJECTS[name]})
    assert "is no folder" in text(findings, SUBJECTS[name])


@pytest.mark.parametrize(("mode", "level"), [(0o777, "error"), (0o770, "error"), (0o755, "warning"), (0o700, "ok")])
def test_what_others_may_do_in_a_folder_is_said(tmp_path, mode, level):
    for name in SUBJECTS:
        (tmp_path / name / "runicorn").mkdir(parents=True)
        (tmp_path / name / "runicorn").chmod(mode)

    code, findings = doctor(tmp_path)

    assert [levels(findings, subject) for subject in SUBJECTS.values()] == [[level]] * 3
    assert code == (1 if level == "error" else 0)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")

    code, findings = doctor(tmp_path, XDG_DATA_HOME=str(tmp_path / "file"))

    assert (code, levels(findings, "data")) == (1, ["error"])
    assert "XDG_DATA_HOME" in text(findings, "data")


@pytest.mark.parametrize(
    ("content", "mode", "level"),
    [("key", 0o644, "error"), ("key", 0o640, "error"), ("key", 0o600, "ok"), ("\n", 0o600, "error")],
)
def test_a_secret_key_that_is_empty_or_that_others_may_read_is_an_error(tmp_path, content, mode, level):
    file = tmp_path / "data" / "runicorn" / "secret_key"
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_text(content)
    file.chmod(mode)

    code, findings = doctor(tmp_path)

    assert levels(findings, "secret key") == [level]
    assert code == (1 if level == "error" else 0)


@contextmanager
def mounted(script: str, folder: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """The doctor's answer in a mount table of its own, in which ``script`` has mounted something at root."""
    may = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    require("the right to mount", may, hint="run as root, in a container with CAP_SYS_ADMIN")
    command = " ".join([*COMMAND, "doctor", "--json", "--storage", "root", "--port", str(free_port())])
    yield subprocess.run(
        ["unshare", "-m", "sh", "-ec", f"{script}; exec {command}"],
        cwd=folder,
        env=user_environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("mebibytes", "level"), [(50, "error"), (500, "warning")])
def test_a_disk_that_is_nearly_full_is_said(tmp_path, mebibytes, level):
    (tmp_path / "root").mkdir()
    with mounted(f"mount -t tmpfs -o size={mebibytes}m none root", tmp_path) as done:
        findings = found_by(done)

    assert levels(findings, "storage root")[1] == level
    assert f"Only {mebibytes} MiB are free" in text(findings, "storage root")


def test_a_root_on_a_disk_that_is_mounted_for_reading_is_a_warning(tmp_path):
    (tmp_path / "root").mkdir()
    with mounted("mount -t tmpfs -o size=2g,ro none root", tmp_path) as done:
        findings = found_by(done)

    assert (done.returncode, levels(findings, "storage root")) == (0, ["warning", "ok"])
    assert "locks" not in findings


# What lies around ------------------------------------------------------------------------------------------------


def test_another_django_is_an_error(tmp_path):
    folder = tmp_path / "older" / "django-4.2.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: Django\nVersion: 4.2\n")

    code, findings = doctor(tmp_path, PYTHONPATH=str(folder.parent))

    assert (code, levels(findings, "Django")) == (1, ["error"])
    assert "4.2 is installed, 5.2 is needed" in text(findings, "Django")


def test_a_missing_django_is_an_error_and_no_traceback(installed):
    package = installed / "broken" / "django"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('No module named django')")

    code, findings = doctor(installed, PYTHONPATH=str(package.parent))

    assert code == 1
    assert "Could not be examined: ImportError: No module named django" in text(findings, "databases")


KEY_STORE = """
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    name = "the test's store"
    priority = {priority}

    def get_password(self, service, username): ...
    def set_password(self, service, username, password): ...
    def delete_password(self, service, username): ...
"""


@pytest.mark.parametrize(
    ("module", "priority", "level"),
    [("store", 5, "ok"), ("store", 0.5, "warning"), ("keyrings.alt.file", 5, "warning")],
)
def test_only_a_key_store_worth_the_name_counts(tmp_path, module, priority, level):
    file = (tmp_path / "stores" / Path(*module.split("."))).with_suffix(".py")
    file.parent.mkdir(parents=True)
    file.write_text(KEY_STORE.format(priority=priority))

    code, findings = doctor(tmp_path, PYTHONPATH=str(tmp_path / "stores"), PYTHON_KEYRING_BACKEND=f"{module}.Keyring")

    assert (code, levels(findings, "key store")) == (0, [level])


def test_limits_that_are_not_valid_are_an_error(tmp_path):
    write_limits(tmp_path / "config", {"default": {"max_requests": 0}})

    code, findings = doctor(tmp_path)

    assert (code, levels(findings, "rate limits")) == (1, ["error"])
    assert "runicorn rate-limit --action validate" in text(findings, "rate limits")


def test_a_port_that_another_program_has_is_a_warning(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, findings = doctor(tmp_path, "--port", str(other.getsockname()[1]))

    assert (code, levels(findings, "port")) == (0, ["warning"])
    assert "Another program listens" in text(findings, "port")


def test_a_running_viewer_is_known_with_its_mirror_and_missed_by_other_roots(installed):
    with running_viewer("--storage", "root", folder=installed) as viewer:
        port = viewer.url.rsplit(":", 1)[1]
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        code, findings = doctor(installed, "--port", port)
        (installed / "other").mkdir()
        done = runicorn("doctor", "--json", "--storage", "other", "--port", port, folder=installed)

    assert (code, levels(findings, "port"), levels(findings, "mirror")) == (0, ["ok"], ["ok"])
    assert "A mirror process keeps the index" in text(findings, "mirror")
    assert levels(found_by(done), "port") == ["warning"]
    assert str(installed / "root") in text(found_by(done), "port")


def test_a_viewer_without_a_mirror_is_an_error(installed):
    port = str(free_port())
    with running("serve", "--storage", "root", "--port", port, folder=installed) as web:
        wait_until(
            lambda: levels(doctor(installed, "--port", port)[1], "port") == ["ok"] and _answers(port), web.describe
        )
        code, findings = doctor(installed, "--port", port)

    assert (code, levels(findings, "mirror")) == (1, ["error"])
    assert "runicorn mirror" in text(findings, "mirror")


def _answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


# Databases -------------------------------------------------------------------------------------------------------


def database_of(folder: Path, name: str) -> Path:
    return index_of(folder) if name == "index" else folder / "data" / "runicorn" / "default.sqlite3"


@pytest.mark.parametrize("name", ["index", "accounts"])
def test_a_file_that_is_no_database_is_an_error(installed, name):
    database_of(installed, name).write_bytes(b"not a database" * 1000)

    code, findings = doctor(installed)

    assert (code, levels(findings, name)) == (1, ["error"])
    assert "is damaged" in text(findings, name)


@pytest.mark.parametrize("name", ["index", "accounts"])
def test_a_damaged_page_is_an_error(installed, name):
    file = database_of(installed, name)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'django_migrations'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as pages:
        pages.seek((page - 1) * size + size // 2)
        pages.write(b"\xff" * (size // 2))

    code, findings = doctor(installed)

    assert (code, levels(findings, name)) == (1, ["error"])


def test_a_database_of_a_newer_version_is_an_error_but_an_index_is_built_anew(installed):
    for name, app in (("accounts", "auth"), ("index", "experiments")):
        with closing(sqlite3.connect(database_of(installed, name))) as database, database:
            database.execute("INSERT INTO django_migrations VALUES (NULL, ?, '9999_later', '2030-01-01')", (app,))

    code, findings = doctor(installed)

    assert (code, worst(findings)) == (1, {"accounts"})
    assert "auth.9999_later" in text(findings, "accounts")
    assert "the next start builds it anew" in text(findings, "index")


def test_a_database_of_an_older_version_is_brought_up_to_date_by_the_next_start_and_not_by_the_doctor(installed):
    file = database_of(installed, "accounts")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

    code, findings = doctor(installed)

    assert (code, levels(findings, "accounts")) == (0, ["ok"])
    assert "the next start brings it up to date" in text(findings, "accounts")
    with closing(sqlite3.connect(file)) as database:
        rows: list[Any] = database.execute("SELECT 1 FROM django_migrations WHERE app = 'sessions'").fetchall()
    assert rows == []


def test_a_mirror_lock_that_somebody_holds_means_a_mirror_process(installed):
    with filelock.FileLock(index_of(installed).with_name("index.mirror.lock")):
        _, findings = doctor(installed)

    assert "A mirror process keeps the index" in text(findings, "mirror")
    assert "No mirror process runs now" in text(doctor(installed)[1], "mirror")


def test_a_setting_that_makes_no_sense_is_an_error_naming_its_variable(installed):
    code, findings = doctor(installed, RUNICORN_TRUSTED_PROXIES="nonsense")

    assert (code, levels(findings, "settings")) == (1, ["error"])
    assert "RUNICORN_TRUSTED_PROXIES" in text(findings, "settings")


def test_missing_browser_files_are_an_error(tmp_path):
    copy = tmp_path / "copy"
    for package in ("runicorn", "experiments", "runicorn_site", "templates"):
        shutil.copytree(CHECKOUT / package, copy / package, ignore=shutil.ignore_patterns("vendor", "__pycache__"))

    code, findings = doctor(tmp_path, PYTHONPATH=str(copy))

    assert (code, levels(findings, "browser files")) == (1, ["error"])
    assert "htmx/htmx.min.js" in text(findings, "browser files")
