"""Runs that log at a steady rate until standard input closes. Arguments: storage root, runs, points a second of each.

The first line out is the runs' ids with commas between.
"""

from __future__ import annotations

import math
import sys
import threading
import time

import runicorn as rn


def main() -> None:
    count, rate = int(sys.argv[2]), float(sys.argv[3])
    runs = [
        rn.init(
            "bench", name="steady", storage=sys.argv[1], capture_env=False, console=False, config={"number": number}
        )
        for number in range(count)
    ]
    print(",".join(run.id for run in runs), flush=True)
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    begin, step = time.monotonic(), 0
    while not is_over.wait(max(0.0, begin + step / rate - time.monotonic())):
        step += 1
        for number, run in enumerate(runs):
            run.log({"loss": math.exp(-step / 500) + number / 50, "acc": math.tanh(step / 900)}, step=step)


if __name__ == "__main__":
    main()
