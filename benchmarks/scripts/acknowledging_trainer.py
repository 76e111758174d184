"""Logs until it is killed, and notes after each log() that returned which step that was, where a kill cannot take it.

Arguments: storage root, file for the last acknowledged step (8 bytes).
"""

from __future__ import annotations

import mmap
import struct
import sys

import runicorn as rn


def main() -> None:
    with open(sys.argv[2], "r+b") as file:
        acknowledged = mmap.mmap(file.fileno(), 8)
    rn.init("bench", storage=sys.argv[1], run_id="20250114_120000_aa0002", capture_env=False)
    step = 0
    while True:
        step += 1
        rn.log({"loss": 1 / step, "acc": 0.5, "lr": 3e-4, "f1": 0.1, "top5": 0.9}, step=step)
        struct.pack_into("<q", acknowledged, 0, step)


if __name__ == "__main__":
    main()
