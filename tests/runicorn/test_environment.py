"""What is recorded of the machine and the code, and what is not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time

import pytest

import runicorn as rn
from runicorn import environment_probes as probes
from runicorn.environment import EnvironmentCapture, capture_for_run
from tests.training_scripts import document, wait_until


def test_the_keys_are_those_of_the_format():
    captured = EnvironmentCapture().capture_all().to_dict()

    assert list(captured) == [
        "python_version",
        "platform",
        "platform_details",
        "pip_packages",
        "conda_packages",
        "conda_env",
        "git_info",
        "env_variables",
        "gpu_info",
    ]
    assert captured["python_version"] == sys.version
    assert captured["platform"] == f"{platform.system()} {platform.release()} ({platform.machine()})"
    assert set(captured["platform_details"]) == {
        *("system", "node", "release", "version", "machine", "processor"),
        *("python_implementation", "python_compiler"),
    }


def test_the_packages_are_the_installed_ones_in_order():
    packages = EnvironmentCapture().get_pip_packages()

    assert packages is not None
    assert f"pytest=={pytest.__version__}" in packages
    assert packages == sorted(packages, key=str.lower)
    assert len({line.partition("==")[0].lower() for line in packages}) == len(packages)


def test_of_two_versions_the_one_that_is_imported_counts(tmp_path, monkeypatch):
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        metadata = tmp_path / folder / f"my_package-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: My.Package\nVersion: {version}\n\nName: no\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])

    assert probes.installed_packages() == ["My.Package==2.0"]


def test_outside_conda_there_are_no_conda_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    outside = probes.conda_packages()
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "intel-openmp-2023.1.0-hdb19cb5_46306.json").write_text("{}")
    (tmp_path / "conda-meta" / "history").write_text("")

    assert outside is None
    assert probes.conda_packages() == ["intel-openmp==2023.1.0"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://user:token@github.com/org/repo.git", "https://github.com/org/repo.git"),
        ("https://ghp_abc@github.com/org/repo.git", "https://github.com/org/repo.git"),
        ("ssh://git@host:22/repo", "ssh://host:22/repo"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
        ("http://a:b@one/,http://c:d@two/", "http://one/,http://two/"),
        ("https://host/x?private_token=abc&y=1", "https://host/x?private_token=***&y=1"),
        ("/usr/bin:/home/a@b/bin", "/usr/bin:/home/a@b/bin"),
    ],
)
def test_credentials_are_taken_out_of_urls(text, clean):
    assert probes.without_credentials(text) == clean


def test_only_known_variables_are_recorded_without_credentials_and_cut(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:password@mlflow/")
    monkeypatch.setenv("PYTHONPATH", "x" * 501)
    monkeypatch.setenv("CUDA_HOME", "y" * 500)
    monkeypatch.delenv("WANDB_MODE", raising=False)

    found = EnvironmentCapture().get_env_variables()

    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert "WANDB_MODE" not in found
    assert found["MLFLOW_TRACKING_URI"] == "https://mlflow/"
    assert found["PYTHONPATH"] == "x" * 497 + "..."
    assert found["CUDA_HOME"] == "y" * 500
    assert EnvironmentCapture().get_env_variables(["CUDA_HOME"]) == {"CUDA_HOME": "y" * 500}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
class TestGit:
    @pytest.fixture
    def repository(self, tmp_path, monkeypatch):
        for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            monkeypatch.delenv(variable, raising=False)
        folder = tmp_path / "code"
        folder.mkdir()
        self.git(folder, "init", "-q", "-b", "main")
        (folder / "train.py").write_text("1")
        self.git(folder, "add", ".")
        self.git(folder, "commit", "-q", "-m", "first: 基线")
        self.git(folder, "remote", "add", "origin", "https://me:token@host/repo.git")
        return folder

    def git(self, folder, *arguments):
        identity = ["-c", "user.name=Ana Ñ", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def test_the_state_of_a_clean_work_tree(self, repository):
        assert EnvironmentCapture(repository).get_git_info() == {
            "commit": self.git(repository, "rev-parse", "HEAD"),
            "branch": "main",
            "has_changes": False,
            "remote": "https://host/repo.git",
            "last_commit_message": "first: 基线",
            "last_commit_author": "Ana Ñ <ana@example.org>",
        }

    def test_changes_are_counted_also_from_a_folder_inside(self, repository):
        (repository / "train.py").write_text("2")
        (repository / "sub").mkdir()
        (repository / "sub" / "new.py").write_text("3")

        state = EnvironmentCapture(repository / "sub").get_git_info()

        assert state is not None
        assert (state["has_changes"], state["changed_files_count"]) == (True, 2)

    def test_outside_of_git_there_is_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

        assert EnvironmentCapture(tmp_path).get_git_info() is None


@pytest.mark.skipif(os.name == "nt", reason="the stand-in programs are shell scripts")
class TestPrograms:
    def program(self, folder, name, text):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def test_gpus_are_read_from_nvidia_smi(self, tmp_path, monkeypatch):
        lines = "0, NVIDIA A100, 81920, 80000, 37, 41\\n1, Laptop GPU, 8192, 100, [N/A], [N/A]\\nnonsense"
        self.program(tmp_path, "nvidia-smi", f"printf '{lines}'")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        first, second = EnvironmentCapture().get_gpu_info() or []

        assert first == {
            "index": 0,
            "name": "NVIDIA A100",
            "memory_total_mb": 81920,
            "memory_free_mb": 80000,
            "utilization_percent": 37,
            "temperature_c": 41,
        }
        assert (second["utilization_percent"], second["temperature_c"]) == (None, None)

    @pytest.mark.parametrize("text", ["exit 9", "printf ''", "printf 'No devices were found'"])
    def test_a_failing_nvidia_smi_means_no_gpus(self, tmp_path, monkeypatch, text):
        self.program(tmp_path, "nvidia-smi", text)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        assert EnvironmentCapture().get_gpu_info() is None

    def test_programs_that_hang_are_given_up(self, tmp_path, monkeypatch):
        for name in ("git", "nvidia-smi"):
            self.program(tmp_path, name, "exec sleep 60")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setattr(probes, "GIT_TIMEOUT_S", 0.2)
        monkeypatch.setattr(probes, "GPU_TIMEOUT_S", 0.2)
        begun = time.monotonic()

        captured = EnvironmentCapture(tmp_path).capture_all()

        assert (captured.git_info, captured.gpu_info) == (None, None)
        assert time.monotonic() - begun < 20


def test_init_captures_in_the_background(root):
    run = rn.init(project="vision", console=False)
    wait_until(lambda: (run.run_dir / "environment.json").exists())

    assert document(run.run_dir, "environment.json")["python_version"] == sys.version


def test_a_capture_can_be_written_for_any_run(run):
    info = capture_for_run(run.run_dir)

    assert document(run.run_dir, "environment.json") == info.to_dict()


def test_a_capture_that_fails_is_reported_and_training_goes_on(forgiving, monkeypatch, caplog):
    def fails(*arguments, **options):
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("runicorn.environment.EnvironmentCapture.capture_all", fails)
    run = rn.init(project="vision", console=False)
    wait_until(lambda: "a mistake" in caplog.text)

    run.log(x=1)

    assert run._guard.counts == {"environments": 1}


class TestSnapshot:
    @pytest.fixture
    def code(self, tmp_path):
        folder = tmp_path / "code"
        for name in (
            "train.py",
            "conf/a.yaml",
            "conf/b.toml",
            "weights.bin",
            ".git/config.py",
            ".venv/lib/x.py",
            "env/lib/y.py",
            "pkg/__pycache__/z.py",
            "pkg/mod.py",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        (folder / "env" / "pyvenv.cfg").write_text("")
        return folder

    def test_it_copies_source_files_and_lists_them(self, code, tmp_path):
        assert EnvironmentCapture().capture_code_snapshot(code, tmp_path / "out")

        listing = json.loads((tmp_path / "out" / "snapshot_info.json").read_text())
        assert listing["files"] == ["train.py", "conf/a.yaml", "conf/b.toml", "pkg/mod.py"]
        assert listing["source_dir"] == str(code)
        assert listing["timestamp"] == pytest.approx(time.time(), abs=60)
        assert (tmp_path / "out" / "pkg" / "mod.py").read_text() == "pkg/mod.py"

    def test_the_target_inside_the_code_is_not_copied_into_itself(self, code):
        for _ in range(2):
            assert EnvironmentCapture().capture_code_snapshot(code, code / "snapshot", [".py"])

        listing = json.loads((code / "snapshot" / "snapshot_info.json").read_text())
        assert listing["files"] == ["train.py", "pkg/mod.py"]

    def test_links_are_not_followed(self, code, tmp_path):
        (tmp_path / "secret.py").write_text("secret")
        (code / "link.py").symlink_to(tmp_path / "secret.py")

        EnvironmentCapture().capture_code_snapshot(code, tmp_path / "out")

        assert not (tmp_path / "out" / "link.py").exists()

    def test_a_folder_that_is_none_gives_false(self, tmp_path):
        assert not EnvironmentCapture().capture_code_snapshot(tmp_path / "none", tmp_path / "out")
