"""Imports point one way, and the library knows no Django."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

#: What each package may import of ours (itself always); what is not listed, it may not.
MAY_IMPORT = {
    "runicorn": set(),
    "experiments": {"runicorn"},
    "artifacts": {"runicorn", "experiments"},
    "sync": {"runicorn", "experiments", "artifacts"},
    "runicorn_site": {"runicorn", "experiments", "artifacts", "sync"},
}
#: Outside packages that one of ours must not know.
NEVER = {"runicorn": {"django", "rest_framework", "channels", "daphne"}}


def modules() -> list[Path]:
    return sorted(path for package in MAY_IMPORT for path in (CHECKOUT / package).rglob("*.py"))


def imported_packages(path: Path) -> Iterator[tuple[int, str]]:
    """The top-level packages that a module imports anywhere, with their lines."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = path.relative_to(CHECKOUT).parts[0]
            yield node.lineno, inside if node.level else (node.module or "").partition(".")[0]


def wrong_imports(path: Path) -> list[str]:
    name = path.relative_to(CHECKOUT).as_posix()
    package = name.partition("/")[0]
    refused = (set(MAY_IMPORT) - MAY_IMPORT[package] - {package}) | NEVER.get(package, set())
    return [f"{name}:{line} imports {imported}" for line, imported in imported_packages(path) if imported in refused]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_lies_below_it(package):
    wrong = [line for path in (CHECKOUT / package).rglob("*.py") for line in wrong_imports(path)]

    assert wrong == []


def test_each_module_of_the_library_loads_without_django():
    """In one fresh process that refuses Django's name. The command and the demo belong to the viewer."""
    names = [
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((CHECKOUT / "runicorn").rglob("*.py"))
        if path.name != "__main__.py" and not {"cli", "demo"} & set(path.relative_to(CHECKOUT).parts)
    ]
    code = (
        "import importlib, sys\n"
        "sys.modules['django'] = None\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'django'))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['django']"


def test_the_walk_sees_what_it_must(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "CHECKOUT", tmp_path)
    path = tmp_path / "experiments" / "views.py"
    path.parent.mkdir()
    path.write_text("import runicorn.errors\nfrom . import models\ndef f():\n    from artifacts.queries import x\n")

    assert wrong_imports(path) == ["experiments/views.py:4 imports artifacts"]


def test_there_is_no_drawer_for_everything():
    assert [path for path in modules() if path.stem in ("utils", "helpers", "misc", "common")] == []
