"""The environment a run trains in: interpreter, packages, git state, GPUs, and a copy of the code."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runicorn import environment_probes as probes
from runicorn.config import read_variables
from runicorn.storage import layout
from runicorn.storage.documents import touch_runs_folder, write_document
from runicorn.storage.plain import plain

#: The variables that are recorded, and no others: the rest may hold secrets.
VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDNN_VERSION", "NCCL_VERSION", "PYTORCH_VERSION", "TF_VERSION"),
    *("KERAS_BACKEND", "JAX_PLATFORM_NAME", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV"),
    *("CONDA_PREFIX", "RUNICORN_DIR", "WANDB_MODE", "MLFLOW_TRACKING_URI"),
)
VALUE_MAX_CHARS = 500
CODE_EXTENSIONS = (".py", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini")
_NO_CODE = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True)
class EnvironmentInfo:
    """What environment.json holds, key by key."""

    python_version: str
    platform: str
    platform_details: dict[str, str]
    pip_packages: list[str] | None
    conda_packages: list[str] | None
    conda_env: str | None
    git_info: dict[str, Any] | None
    env_variables: dict[str, str]
    gpu_info: list[dict[str, Any]] | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as a JSON document, atomically. Raises OSError."""
        write_document(Path(path), plain(self.to_dict()))


class EnvironmentCapture:
    """Looks around in the process that calls it. working_dir: where to look for git, by default the current folder."""

    def __init__(self, working_dir: str | os.PathLike[str] | None = None) -> None:
        self.working_dir = Path(working_dir or os.curdir)

    def capture_all(self, *, gpus: bool = True) -> EnvironmentInfo:
        """Everything. Takes up to 5 s for git and, unless ``gpus`` is False, 5 s for the GPUs."""
        return EnvironmentInfo(
            python_version=self.get_python_version(),
            platform=self.get_platform(),
            platform_details=self.get_platform_details(),
            pip_packages=self.get_pip_packages(),
            conda_packages=self.get_conda_packages(),
            conda_env=self.get_conda_env(),
            git_info=self.get_git_info(),
            env_variables=self.get_env_variables(),
            gpu_info=self.get_gpu_info() if gpus else None,
        )

    def get_python_version(self) -> str:
        """The interpreter's full banner."""
        return sys.version

    def get_platform(self) -> str:
        details = probes.platform_details()
        return f"{details['system']} {details['release']} ({details['machine']})"

    def get_platform_details(self) -> dict[str, str]:
        return probes.platform_details()

    def get_pip_packages(self) -> list[str] | None:
        """The installed packages as ``name==version``; read from their metadata, without starting pip."""
        return probes.installed_packages() or None

    def get_conda_packages(self) -> list[str] | None:
        return probes.conda_packages()

    def get_conda_env(self) -> str | None:
        return read_variables(["CONDA_DEFAULT_ENV"]).get("CONDA_DEFAULT_ENV")

    def get_git_info(self) -> dict[str, Any] | None:
        return probes.git_state(self.working_dir)

    def get_env_variables(self, filter_keys: Sequence[str] | None = None) -> dict[str, str]:
        """Those of ``filter_keys`` (by default VARIABLES) that are set, without credentials, cut to 500 characters."""
        found = read_variables(VARIABLES if filter_keys is None else filter_keys)
        return {name: _shortened(probes.without_credentials(value)) for name, value in found.items()}

    def get_gpu_info(self) -> list[dict[str, Any]] | None:
        return probes.gpus()

    def capture_code_snapshot(
        self,
        code_dir: str | os.PathLike[str],
        output_dir: str | os.PathLike[str],
        extensions: Sequence[str] | None = None,
    ) -> bool:
        """Copy the source files below ``code_dir``, and list them in ``snapshot_info.json``.

        Hidden folders, virtual environments, caches and links are left out. False if ``code_dir`` is no folder or
        a file could not be copied.
        """
        source, target = Path(code_dir).resolve(), Path(output_dir).resolve()
        if not source.is_dir():
            return False
        wanted = tuple(CODE_EXTENSIONS if extensions is None else extensions)
        files = [path for path in _source_files(source, leave_out=target) if path.suffix in wanted]
        try:
            for path in files:
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            names = [path.relative_to(source).as_posix() for path in files]
            target.mkdir(parents=True, exist_ok=True)
            record = {"source_dir": str(source), "timestamp": time.time(), "files": names}
            (target / "snapshot_info.json").write_text(json.dumps(record, ensure_ascii=False, indent=2), "utf-8")
        except OSError:
            return False
        return True


def capture_for_run(
    run_dir: str | os.PathLike[str], working_dir: str | os.PathLike[str] | None = None
) -> EnvironmentInfo:
    """Capture the environment into the run's environment.json. Raises OSError.

    Written once without the GPUs, then with them: their query may take longest, and a short script ends first.
    """
    path = Path(run_dir) / layout.ENVIRONMENT
    capture = EnvironmentCapture(working_dir)
    first = capture.capture_all(gpus=False)
    first.save(path)
    gpu_info = capture.get_gpu_info()
    info = first
    if gpu_info:
        info = EnvironmentInfo(**{**vars(first), "gpu_info": gpu_info})
        info.save(path)
    touch_runs_folder(Path(run_dir))
    return info


def _shortened(value: str) -> str:
    return value if len(value) <= VALUE_MAX_CHARS else value[: VALUE_MAX_CHARS - 3] + "..."


def _source_files(folder: Path, *, leave_out: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NO_CODE
            and Path(parent, name) != leave_out
            and not Path(parent, name, "pyvenv.cfg").exists()
        )
        yield from (Path(parent, name) for name in sorted(names) if not Path(parent, name).is_symlink())
