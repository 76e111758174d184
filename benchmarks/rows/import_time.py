"""What `import runicorn` costs over a bare interpreter, and which heavy modules it loads."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measurement import Row, median, milliseconds
from benchmarks.setting import Setting

HEAVY = ("django", "numpy", "requests", "paramiko", "PIL")


def measure(setting: Setting) -> list[Row]:
    environment = setting.home("library").environment(setting.folder)
    bare, imported = [], []
    for _ in range(setting.size(20, 5)):
        bare.append(milliseconds(lambda: _python("pass", environment)))
        imported.append(milliseconds(lambda: _python("import runicorn", environment)))
    loaded = _python(f"import runicorn, sys; print(*set({HEAVY!r}) & set(sys.modules))", environment).split()
    return [
        Row(
            "import runicorn, over a bare interpreter",
            median(imported) - median(bare),
            "ms",
            60,
            {"bare": median(bare)},
        ),
        Row("heavy modules that import runicorn loads", len(loaded), "", 0, {"loaded": loaded}),
    ]


def _python(code: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
