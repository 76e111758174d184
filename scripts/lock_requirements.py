"""Compile requirements.txt (what the viewer needs) and requirements-dev.txt (what its developers need besides).

Run by ``make requirements`` with Python 3.11. The files name packages and versions, never where they come from.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
OPTIONS = [
    "--quiet", "--upgrade", "--no-header", "--strip-extras",
    "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--no-emit-options",
]  # fmt: skip


def main() -> None:
    """Write both files; a package that both need has one version."""
    pip_compile("pyproject.toml", output="requirements.txt", arguments=[])
    groups = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    given = "\n".join(groups["dev"])
    pip_compile("-", output="requirements-dev.txt", arguments=["-c", "requirements.txt"], given=given)


def pip_compile(source: str, *, output: str, arguments: list[str], given: str = "") -> None:
    """source: a file, or "-" for the requirements in ``given``."""
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *arguments, "-o", output, source]
    subprocess.run(command, cwd=CHECKOUT, input=given, text=True, check=True)


if __name__ == "__main__":
    main()
