"""Prints what log() of 5 metrics costs beside a bare loop in the same process, and how that changes with more calls.

Arguments: storage root, calls to compare, calls for growth.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

import orjson

import runicorn as rn

#: The two are measured in turns, so that a disturbance meets both.
TURN = 5_000
METRICS = {"train_loss": 0.123456, "val_loss": 0.234567, "train_acc": 0.91, "val_acc": 0.89, "lr": 3e-4}


def bare_calls(descriptor: int, count: int) -> list[int]:
    """Nanoseconds of each: the same event with time.time(), encoded with orjson, written with os.write."""
    samples = []
    for step in range(count):
        begin = time.perf_counter_ns()
        now = time.time()
        event = {"ts": now, "type": "metrics", "data": {"global_step": step, "time": now, **METRICS}}
        os.write(descriptor, orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
        samples.append(time.perf_counter_ns() - begin)
    return samples


def log_calls(count: int) -> list[int]:
    """Nanoseconds of each."""
    samples = []
    for _ in range(count):
        begin = time.perf_counter_ns()
        rn.log(METRICS)
        samples.append(time.perf_counter_ns() - begin)
    return samples


def main() -> None:
    root, compared, grown = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    descriptor = os.open(os.path.join(root, "bare.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    rn.init("bench", storage=root, capture_env=False)
    bare, logged = [], []
    for _ in range(compared // TURN):
        bare += bare_calls(descriptor, TURN)
        logged += log_calls(TURN)
    tenth = grown // 10
    tenths = [statistics.median(log_calls(tenth)) for _ in range(10)]
    rn.finish()
    answer = {"bare_ns": statistics.median(bare), "log_ns": statistics.median(logged), "tenths_ns": tenths}
    print(orjson.dumps(answer).decode())


if __name__ == "__main__":
    main()
