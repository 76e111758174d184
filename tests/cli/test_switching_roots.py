"""Switching to another storage root while a viewer runs, with its real mirror process."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.artifacts.stored import log_version
from tests.command_line import RunningCommand, runicorn, running_viewer, wait_until, write_run
from tests.databases import fresh_database

PAGES = {"page": "/runs", "admin": "/admin/experiments/run/"}
FIRST, SECOND = "20250114_153045_a1b2c3", "20250115_101500_7c1e9a"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another storage root, with a run, a tag and an artifact of its own."""
    root = tmp_path / "other root"
    run = write_run(root, SECOND)
    (run / "curation.json").write_text('{"tags": ["second"]}', encoding="utf-8")
    log_version(root, {"w": b"2"}, name="second")
    return root


def _shown(viewer: RunningCommand) -> dict[str, Any]:
    """What each reader says is there."""
    pages = {name: httpx.get(f"{viewer.url}{address}").text for name, address in PAGES.items()}
    return {
        "v1": [run["id"] for run in viewer.get("/api/runs")],
        "v2": [run["id"] for run in viewer.get("/api/v2/experiments")["experiments"]],
        "search": [run["id"] for run in viewer.get("/api/experiments/search")["experiments"]],
        "artifacts": [artifact["name"] for artifact in viewer.get("/api/artifacts")],
        **{name: [run_id for run_id in (FIRST, SECOND) if run_id in page] for name, page in pages.items()},
        "projects": viewer.get("/api/projects")["projects"],
        "storage": viewer.get("/api/config")["storage"],
    }


def _all_show(run_id: str, root: Path, artifacts: Sequence[str] = ()) -> dict[str, Any]:
    readers = ("v1", "v2", "search", *PAGES)
    by_run = {reader: [run_id] for reader in readers}
    return {**by_run, "artifacts": list(artifacts), "projects": ["digits"], "storage": str(root)}


def test_every_reader_follows_at_once_and_the_switch_outlives_a_process(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert _shown(viewer) == _all_show(FIRST, tmp_path / "root")

        answer = httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)

        notice = (
            f"The viewer was started with {tmp_path / 'root'} (--storage or RUNICORN_DIR), "
            "and shows that again when it is started so again."
        )
        fields = {"user_root_dir": str(other), "storage": str(other), "notice": notice}
        message = "User root directory updated successfully"
        assert answer.json() == {"ok": True, "message": message, **fields, "data": fields}
        assert _shown(viewer) == _all_show(SECOND, other, ["second"])
        assert httpx.get(f"{viewer.url}/api/runs/{FIRST}").status_code == 404
        assert viewer.get("/api/health")["storage"] == str(other)

        assert "?tag=second" in httpx.get(f"{viewer.url}/admin/experiments/run/").text

        before = viewer.children()["mirror"]
        before.kill()
        wait_until(lambda: viewer.children().get("mirror") not in (None, before), viewer.describe)
        write_run(other, FIRST)
        wait_until(lambda: len(viewer.get("/api/runs")) == 2, viewer.describe)

        answer = httpx.put(f"{viewer.url}/api/config", json={"user_root": str(tmp_path / "root")}, timeout=30)
        assert answer.json()["storage"] == str(tmp_path / "root")
        assert _shown(viewer) == _all_show(FIRST, tmp_path / "root")
        assert "?tag=second" not in httpx.get(f"{viewer.url}/admin/experiments/run/").text
        viewer.stop(signal.SIGTERM)

    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert viewer.get("/api/config")["storage"] == str(tmp_path / "root")


def test_a_viewer_that_is_started_shows_what_it_is_started_with(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)
        config_file = Path(viewer.get("/api/config")["config_file"])
        assert json.loads(config_file.read_bytes())["user_root_dir"] == str(other)
        viewer.stop(signal.SIGTERM)

    with running_viewer(
        "--storage", str(tmp_path / "root"), folder=tmp_path
    ) as viewer:  # what the command line says goes before the user's configuration
        wait_until(lambda: viewer.get("/api/config")["storage"] == str(tmp_path / "root"), viewer.describe)
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        assert _shown(viewer)["v1"] == [FIRST]


def test_what_the_user_stores_by_the_command_is_followed(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    runicorn("config", "--set-user-root", "root", folder=tmp_path)
    with running_viewer(folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)

        done = runicorn("config", "--set-user-root", str(other), folder=tmp_path)

        assert "A running viewer shows it at once" in done.stdout
        shown = _all_show(SECOND, other, ["second"])
        wait_until(lambda: _shown(viewer) == shown, lambda: f"{_shown(viewer)}", timeout_s=5)
        answer = httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(tmp_path / "root")}, timeout=30)
        assert "notice" not in answer.json(), "it shows that at its next start, too"
        assert _shown(viewer) == _all_show(FIRST, tmp_path / "root")
        runicorn("config", "--set-user-root", str(other), folder=tmp_path)
        wait_until(lambda: _shown(viewer) == shown, lambda: f"{_shown(viewer)}", timeout_s=5)
        viewer.stop(signal.SIGTERM)

    with running_viewer(folder=tmp_path) as viewer:
        wait_until(lambda: _shown(viewer) == shown, lambda: f"{_shown(viewer)}")


def test_a_viewer_with_a_root_of_its_own_keeps_it_whatever_the_user_stores(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer(folder=tmp_path, RUNICORN_DIR=str(tmp_path / "root")) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)

        done = runicorn("config", "--set-user-root", str(other), folder=tmp_path, RUNICORN_DIR=str(tmp_path / "root"))

        assert done.stderr == "RUNICORN_DIR is set here and goes first; unset it to use the folder.\n"
        write_run(tmp_path / "root", "20250116_101500_7c1e9b")  # what the mirror looks at after that
        wait_until(lambda: len(viewer.get("/api/runs")) == 2, viewer.describe)
        assert viewer.get("/api/config")["storage"] == str(tmp_path / "root")
        assert viewer.get("/api/config")["user_root_dir"] == str(other)


def test_open_pages_are_told_to_load_anew(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        with connect(f"ws://127.0.0.1:{viewer.port}/live/ws") as socket:
            socket.send(json.dumps({"subscribe": [FIRST]}))
            assert json.loads(socket.recv(10))["type"] == "subscribed"

            httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)

            assert json.loads(socket.recv(10))["type"] == "reset"


def test_on_postgresql_too_a_viewer_starts_with_what_was_switched_to(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    runicorn("config", "--set-user-root", "root", folder=tmp_path)
    with fresh_database(is_migrated=False) as url:
        with running_viewer(folder=tmp_path, RUNICORN_DATABASE_URL=url) as viewer:
            wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
            httpx.post(f"{viewer.url}/api/config/user_root_dir", json={"path": str(other)}, timeout=30)
            viewer.stop(signal.SIGTERM)

        doctor = runicorn("doctor", folder=tmp_path, RUNICORN_DATABASE_URL=url).stdout
        with running_viewer(folder=tmp_path, RUNICORN_DATABASE_URL=url) as viewer:
            wait_until(lambda: _shown(viewer) == _all_show(SECOND, other, ["second"]), viewer.describe)
        refused = runicorn("serve", "--storage", "third", folder=tmp_path, RUNICORN_DATABASE_URL=url)

    assert "holds the index of the storage root" not in doctor
    assert refused.returncode == 1
    assert f"holds the index of the storage root {other}" in refused.stderr


def test_the_settings_page_switches_and_keeps_what_it_refuses(tmp_path: Path, other: Path):
    write_run(tmp_path / "root", FIRST)
    with running_viewer("--storage", str(tmp_path / "root"), folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        with httpx.Client(base_url=viewer.url, headers={"Referer": viewer.url}, timeout=30) as browser:
            page = browser.get("/settings").text
            assert str(tmp_path / "root") in page
            form = {"csrfmiddlewaretoken": page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]}

            refused = browser.post("/settings/root", data={**form, "path": "not/absolute"})
            done = browser.post("/settings/root", data={**form, "path": str(other)}, follow_redirects=True)

        assert refused.status_code == 400
        assert 'value="not/absolute"' in refused.text
        assert "name a folder from its root on" in refused.text
        assert f"Runs of {other} are shown now." in done.text.replace("&#x27;", "'")
        assert _shown(viewer) == _all_show(SECOND, other, ["second"])
