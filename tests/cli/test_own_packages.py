"""A user's packages of the same names as our apps, in the working directory and on PYTHONPATH, do not matter."""

from __future__ import annotations

from pathlib import Path

from tests.command_line import runicorn, running_viewer, wait_until, write_run

NAMES = ("experiments", "artifacts", "sync", "runicorn_site")


def make_foreign_packages(folder: Path) -> Path:
    """Packages that fail loudly when they are imported."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('the wrong {name} was imported')\n")
    return folder


def test_a_viewer_started_among_packages_of_the_same_names_works(tmp_path):
    project = make_foreign_packages(tmp_path / "project")
    write_run(tmp_path / "root")

    arguments = ("--storage", str(tmp_path / "root"))
    with running_viewer(*arguments, folder=tmp_path, cwd=project, PYTHONPATH=str(project)) as viewer:
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)

        assert b"20250114_153045_a1b2c3" in viewer.get_bytes("/runs")
        assert "wrong" not in viewer.output


def test_reindex_among_packages_of_the_same_names_works(tmp_path):
    project = make_foreign_packages(tmp_path / "project")
    write_run(tmp_path / "root")

    done = runicorn("reindex", "--storage", "root", folder=tmp_path, PYTHONPATH=str(project))

    assert (done.returncode, done.stdout) == (0, f"Indexed 1 runs and 0 artifacts of {tmp_path / 'root'}\n"), (
        done.stderr
    )
