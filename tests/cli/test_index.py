"""The index is disposable: by command, by hand, and when another version or a crash left something else there."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from tests.command_line import RunningCommand, runicorn, running, running_viewer, wait_until, write_run


def index_of(folder: Path) -> Path:
    """The only index among a user's caches."""
    (index,) = (folder / "cache" / "runicorn").glob("*/index.sqlite3")
    return index


def answers_of(viewer: RunningCommand) -> list[object]:
    wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
    return [viewer.get("/api/runs"), viewer.get("/api/runs/20250114_153045_a1b2c3/metrics")]


def test_reindex_gives_the_same_answers_and_changes_no_run_directory(tmp_path):
    run = write_run(tmp_path / "root")
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        before = answers_of(viewer)
    files = {path.name: path.read_bytes() for path in run.iterdir()}

    done = runicorn("reindex", "--storage", "root", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in run.iterdir()} == files
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        assert answers_of(viewer) == before


def test_reindex_refuses_while_a_viewer_keeps_the_index(tmp_path):
    with running_viewer("--storage", "root", folder=tmp_path):
        done = runicorn("reindex", "--storage", "root", folder=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: A mirror process keeps the index")
    assert "stop the viewer" in done.stderr


@pytest.mark.parametrize("content", [b"not a database" * 1000, b""], ids=["junk", "empty"])
def test_what_is_no_index_is_replaced_at_the_start(tmp_path, content):
    write_run(tmp_path / "root")
    runicorn("reindex", "--storage", "root", folder=tmp_path)
    index_of(tmp_path).write_bytes(content)

    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        assert len(answers_of(viewer)) == 2


def test_an_index_of_another_version_is_replaced_at_the_start(tmp_path):
    write_run(tmp_path / "root")
    runicorn("reindex", "--storage", "root", folder=tmp_path)
    with sqlite3.connect(index_of(tmp_path)) as connection:
        connection.execute("DROP TABLE experiments_metricseries")
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('experiments', '9999_future', '2030-01-01')"
        )
    connection.close()

    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        assert len(answers_of(viewer)) == 2


def test_an_index_deleted_under_a_running_viewer_is_built_anew(tmp_path):
    write_run(tmp_path / "root")
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        before = answers_of(viewer)

        for file in index_of(tmp_path).parent.glob("index.sqlite3*"):
            file.unlink()

        viewer.wait_for("was replaced; starting anew.", count=2)
        wait_until(lambda: viewer.answers() and viewer.get("/api/runs"), viewer.describe)
        assert answers_of(viewer) == before


def test_serve_and_mirror_alone_make_a_viewer(tmp_path):
    """As under systemd: each brings the databases up to date by itself."""
    write_run(tmp_path / "root")

    with (
        running("mirror", "--storage", "root", folder=tmp_path) as mirror,
        running("serve", "--port", "0", "--storage", "root", folder=tmp_path) as web,
    ):
        web.wait_for(f"Storage root: {tmp_path / 'root'}")
        wait_until(lambda: web.answers() and web.get("/api/runs"), web.describe)

        assert (mirror.stop(signal.SIGINT)[0], web.stop(signal.SIGINT)[0]) == (130, 130)
