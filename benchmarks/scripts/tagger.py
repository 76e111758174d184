"""Adds tags to one run, one change a tag, beginning when its standard input says so.

Usage: python -m benchmarks.scripts.tagger RUN_DIR NAME COUNT
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from runicorn.storage.curation import Edit, change


def main() -> None:
    run_dir, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        edit = Edit(add_tags=[f"{name}-{number}"])
        change(run_dir, edit, root=run_dir.parents[3], by=name, at=time.time())


if __name__ == "__main__":
    main()
