"""`runicorn viewer`: its processes start, stop, and are kept running together."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.command_line import running, running_viewer, still_running, wait_until, write_run
from tests.server import write_limits

CHECKOUT = Path(__file__).resolve().parents[2]
#: All processes are gone this long after a stop, at the latest: the supervisor's limit and some more.
STOP_S = 5.0 + 1.0


def test_a_viewer_prints_its_address_and_root_and_shows_what_lies_there(tmp_path):
    write_run(tmp_path / "root")

    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)

        assert viewer.lines == [f"Runicorn viewer at {viewer.url}\n", f"Storage root: {tmp_path / 'root'}\n"]
        assert viewer.get("/api/health")["storage"] == str(tmp_path / "root")
        assert [run["id"] for run in viewer.get("/api/runs")] == ["20250114_153045_a1b2c3"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)])
def test_a_signal_takes_all_processes_down(tmp_path, number, code):
    with running_viewer(folder=tmp_path) as viewer:
        processes = viewer.descendants()
        assert len(processes) == 2

        exit_code, seconds = viewer.stop(number)

        assert exit_code == code
        assert seconds < STOP_S
        assert still_running(processes) == []
        assert len(viewer.lines) == 2, viewer.describe()


def test_no_process_survives_a_supervisor_that_was_killed(tmp_path):
    with running_viewer(folder=tmp_path) as viewer:
        processes = viewer.descendants()

        viewer.stop(signal.SIGKILL)

        psutil.wait_procs(processes, timeout=STOP_S)
        assert still_running(processes) == []


def test_a_web_process_that_dies_is_started_again(tmp_path):
    with running_viewer(folder=tmp_path) as viewer:
        viewer.children()["serve"].kill()

        viewer.wait_for("The web process ended (SIGKILL); starting it again in 0.5 s.")
        wait_until(viewer.answers, viewer.describe)


def test_a_mirror_process_that_dies_is_started_again_and_sees_what_happened_meanwhile(tmp_path):
    with running_viewer("--storage", "root", folder=tmp_path) as viewer:
        viewer.children()["mirror"].kill()
        write_run(tmp_path / "root")

        viewer.wait_for("The mirror process ended (SIGKILL)")
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)


def test_a_second_mirror_process_stands_by_and_takes_over(tmp_path):
    write_limits(tmp_path / "config")
    write_run(tmp_path / "root")
    with (
        running("serve", "--port", "0", "--storage", "root", folder=tmp_path) as web,
        running("mirror", "--storage", "root", folder=tmp_path) as first,
    ):
        web.wait_for("Storage root: ")
        wait_until(lambda: web.get("/api/runs"), web.describe)
        with running("mirror", "--storage", "root", folder=tmp_path) as second:
            second.wait_for("Another mirror process keeps this index; standing by.")
            first.stop(signal.SIGINT)

            write_run(tmp_path / "root", "20250114_153045_b2c3d4")

            wait_until(lambda: len(web.get("/api/runs")) == 2, web.describe)


def test_reload_starts_anew_when_the_source_changes(tmp_path):
    source = copy_of_the_source(tmp_path / "source")
    command = (sys.executable, str(source / "runicorn" / "cli" / "child.py"))
    with running_viewer("--reload", folder=tmp_path, command=command) as viewer:
        before = {process.pid for process in viewer.children().values()}
        time.sleep(0.6)
        assert {process.pid for process in viewer.children().values()} == before

        with (source / "experiments" / "views.py").open("a") as file:
            file.write("\n")

        viewer.wait_for("The source changed: starting anew.")
        wait_until(lambda: not before & {process.pid for process in viewer.descendants()}, viewer.describe)
        wait_until(viewer.answers, viewer.describe)


def test_a_viewer_that_cannot_start_says_so_and_ends(tmp_path):
    source = copy_of_the_source(tmp_path / "source")
    (source / "runicorn_site" / "urls.py").write_text("raise RuntimeError('a broken installation')\n")
    command = (sys.executable, str(source / "runicorn" / "cli" / "child.py"))

    with running("viewer", "--port", "0", folder=tmp_path, command=command) as viewer:
        viewer.wait_for("a broken installation")
        viewer.wait_for("Error: the web process could not start")

        assert viewer.process.wait(10) == 1


def copy_of_the_source(folder: Path) -> Path:
    """The packages in a folder of their own; started through its child.py, only they are loaded."""
    for name in ("runicorn", "experiments", "runicorn_site", "templates"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
