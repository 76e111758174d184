"""Runicorn: a local-first experiment tracker. ``import runicorn as rn``, ``rn.init()``, ``rn.log({"loss": 0.5})``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"

if TYPE_CHECKING:
    from runicorn.environment import EnvironmentCapture, EnvironmentInfo
    from runicorn.run import Run
    from runicorn.script_api import (
        finish,
        get_active_run,
        init,
        log,
        log_image,
        log_text,
        set_primary_metric,
        summary,
    )

#: Where each public name lives. Loaded at first use: most importers of the package need few of them.
_HOMES = {
    "EnvironmentCapture": "runicorn.environment",
    "EnvironmentInfo": "runicorn.environment",
    "Run": "runicorn.run",
    **dict.fromkeys(
        ("finish", "get_active_run", "init", "log", "log_image", "log_text", "set_primary_metric", "summary"),
        "runicorn.script_api",
    ),
}

__all__ = [
    "EnvironmentCapture",
    "EnvironmentInfo",
    "Run",
    "finish",
    "get_active_run",
    "init",
    "log",
    "log_image",
    "log_text",
    "set_primary_metric",
    "summary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'runicorn' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next access costs nothing
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
