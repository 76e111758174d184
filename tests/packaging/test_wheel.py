"""What people install: the wheel in an empty environment, without Node, far from the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.cli.test_own_packages import make_foreign_packages
from tests.command_line import runicorn, running, running_viewer, wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
#: Browser libraries and all; a megabyte more means that something was packed by mistake.
MAX_WHEEL_BYTES = 1_500_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an empty environment into which only the wheel was installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    commands = folder / ("Scripts" if sys.platform == "win32" else "bin")
    constraints = str(CHECKOUT / "requirements.txt")
    subprocess.run([commands / "pip", "install", "--quiet", "-c", constraints, str(wheel)], check=True)
    return commands


def test_the_wheel_holds_the_viewer_and_nothing_of_its_development(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}
    assert tops == {
        "runicorn",
        "experiments",
        "artifacts",
        "sync",
        "runicorn_site",
        next(top for top in tops if top.endswith(".dist-info")),
    }
    for needed in (
        "runicorn/py.typed",
        "runicorn_site/templates/base.html",
        "runicorn_site/static/vendor/tabler/tabler.min.css",
        "runicorn_site/static/vendor/LICENSES.txt",
        "runicorn_site/locale/zh_Hans/LC_MESSAGES/django.mo",
        "experiments/migrations/0001_initial.py",
        "artifacts/migrations/0001_artifacts.py",
    ):
        assert needed in names
    assert not [name for name in names if name.endswith((".po", ".pyc", ".map")) or "/test" in name]
    assert wheel.stat().st_size < MAX_WHEEL_BYTES


def test_the_installed_viewer_works_among_foreign_packages_and_without_node(installed, tmp_path):
    project = make_foreign_packages(tmp_path / "project")
    here = {"PATH": str(installed), "PYTHONPATH": str(project)}
    assert shutil.which("node", path=here["PATH"]) is None
    script = (
        "import runicorn as rn; rn.init(project='p', storage='root', capture_env=False); rn.log(loss=1); rn.finish()"
    )
    subprocess.run([installed / "python", "-c", script], cwd=tmp_path, check=True)

    command = (str(installed / "runicorn"),)
    arguments = ("--storage", str(tmp_path / "root"))
    with running_viewer(*arguments, folder=tmp_path, cwd=project, command=command, **here) as viewer:
        (run,) = wait_for_runs(viewer)
        chinese = viewer.get_bytes(f"/runs/{run['id']}", **{"Accept-Language": "zh-hans"}).decode()

        assert "运行" in chinese
        assert viewer.get_bytes("/static/vendor/tabler/tabler.min.css").startswith(b'@charset "UTF-8"')
        assert viewer.get_bytes("/static/experiments/app.js")
        assert not list(project.rglob("*.pyc"))


def test_the_installed_demo_trains(installed, tmp_path):
    command = (str(installed / "runicorn"),)
    with running("demo", "--port", "0", folder=tmp_path, command=command) as demo:
        demo.wait_for(f"Storage root: {tmp_path / 'data' / 'runicorn' / 'demo'}")

        wait_until(lambda: any(run["best_metric_value"] for run in demo.get("/api/runs")), demo.describe)


def test_a_script_with_an_artifacts_module_of_its_own_can_import_the_library(installed, tmp_path):
    (tmp_path / "artifacts.py").write_text("mine = True\n")
    (tmp_path / "train.py").write_text("import artifacts, runicorn\nrunicorn.init\nprint(artifacts.mine)\n")

    done = subprocess.run([installed / "python", "train.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_installed_command_says_its_version(installed, tmp_path):
    done = runicorn("--version", folder=tmp_path, command=(str(installed / "runicorn"),))

    assert done.stdout == "runicorn 1.0.0 (API 0.4.1)\n"


def wait_for_runs(viewer):
    wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
    return viewer.get("/api/runs")
