"""Runicorn: a local-first experiment tracker. ``import runicorn as rn``, ``rn.init()``, ``rn.log({"loss": 0.5})``."""

from __future__ import annotations

from importlib import import_module

# What every script calls next is loaded here, so that init() returns at once; it is the standard library and orjson.
from runicorn.run import Run
from runicorn.script_api import (
    alert,
    finish,
    get_active_run,
    init,
    log,
    log_image,
    log_text,
    set_primary_metric,
    summary,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runicorn.artifacts import Artifact, ArtifactType
    from runicorn.environment import EnvironmentCapture, EnvironmentInfo

__version__ = "1.0.0"

__all__ = [
    "Artifact",
    "ArtifactType",
    "EnvironmentCapture",
    "EnvironmentInfo",
    "Run",
    "alert",
    "finish",
    "get_active_run",
    "init",
    "log",
    "log_image",
    "log_text",
    "set_primary_metric",
    "summary",
]

#: Where the public names live that few scripts use: loaded at first use.
_HOMES = {
    "Artifact": "runicorn.artifacts",
    "ArtifactType": "runicorn.artifacts",
    "EnvironmentCapture": "runicorn.environment",
    "EnvironmentInfo": "runicorn.environment",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'runicorn' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next access costs nothing
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
