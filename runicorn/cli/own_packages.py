"""Our packages come first, whatever lies on PYTHONPATH.

The viewer's apps are called ``experiments``, ``artifacts`` and ``sync``: names that a user's project may have too, in
the working directory or on PYTHONPATH, where Python looks before it looks into site-packages.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import runicorn

#: The folder that holds ``runicorn`` and the packages installed with it.
HOME = Path(runicorn.__file__).resolve().parent.parent
NAMES = ("experiments", "artifacts", "sync", "runicorn_site")


class _OwnPackages(MetaPathFinder):
    """Finds exactly our top-level packages, in HOME. Everything else is left to the finders after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname not in NAMES or not (HOME / fullname / "__init__.py").is_file():
            return None
        return PathFinder.find_spec(fullname, [str(HOME)])


def put_first() -> None:
    """From now on ``import experiments`` means ours in this process. Calling it again changes nothing."""
    if not any(isinstance(finder, _OwnPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OwnPackages())


def source_folders() -> list[Path]:
    """The folders with the code, templates and static files that a running viewer has loaded."""
    names = ("runicorn", *NAMES, "templates")
    return [HOME / name for name in names if (HOME / name).is_dir()]
