"""Prints how long init() and finish() take until they return, in milliseconds. Argument: storage root."""

from __future__ import annotations

import json
import sys
import time

import runicorn as rn


def main() -> None:
    begin = time.perf_counter()
    rn.init("bench", storage=sys.argv[1], config={f"option_{number}": number for number in range(20)})
    initialised = time.perf_counter()
    for step in range(100):
        rn.log({"loss": 1 / (step + 1)})
    logged = time.perf_counter()
    rn.finish()
    finished = time.perf_counter()
    print(json.dumps({"init_ms": (initialised - begin) * 1000, "finish_ms": (finished - logged) * 1000}))


if __name__ == "__main__":
    main()
