"""Two things whose cost on an idle machine of the kind in use is known: when they cost more, so does all else."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack

import orjson

from benchmarks.client import HttpClient
from benchmarks.measurement import median

#: One of the lines of the run of 1,000,000 rows.
LINE = (
    b'{"ts":1736856000.1,"type":"metrics","data":{"global_step":1,"time":1736856000.1,"train_loss":1.9560240306868,'
    b'"val_loss":2.9478073871613,"train_acc":3.0565212216389,"val_acc":4.0848394124812,"lr":5.8354479402741}}'
)
LINES = 1_000_000
EXPECTED = {"orjson_s": 0.64, "empty_view_ms": 1.2}
#: A row is noisy when a calibration beside it is so many times off.
NOISE = 1.5


class Calibration:
    """Keeps the process with the empty view; use as a context."""

    def __enter__(self) -> Calibration:
        with ExitStack() as stack:
            command = [sys.executable, "-m", "benchmarks.empty_view"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            self._port = int(process.stdout.readline())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self) -> dict[str, float]:
        """Both figures now; about a second."""
        client = HttpClient(self._port)  # a connection that rests for a minute is closed by the server
        answers = [client.timed_get("/") for _ in range(200)]
        client.close()
        begin = time.perf_counter()
        for _ in range(LINES):
            orjson.loads(LINE)
        return {"orjson_s": round(time.perf_counter() - begin, 3), "empty_view_ms": round(median(answers), 3)}


def is_off(figures: dict[str, float]) -> bool:
    return any(not 1 / NOISE <= figures[name] / EXPECTED[name] <= NOISE for name in EXPECTED)
