"""From a log line to the log WebSocket: single lines, and a burst to one follower."""

from __future__ import annotations

import random
import time

from benchmarks.client import WebSocketClient
from benchmarks.measurement import Row, median, percentile
from benchmarks.setting import Setting
from benchmarks.trainers import Trainer


def measure(setting: Setting) -> list[Row]:
    root, choose = setting.folder / "log-lines", random.Random(10)
    root.mkdir()
    delays_ms = []
    burst = setting.size(100_000, 10_000)
    with setting.viewer(root, setting.home("log-lines")) as viewer, Trainer(root, viewer.home) as trainer:
        trainer.tell("text first")
        trainer.await_indexed()
        socket = WebSocketClient(viewer.port, f"/api/runs/{trainer.run_id}/logs/ws")
        _await_line(socket, b"first")
        for number in range(setting.size(150, 30)):
            time.sleep(choose.uniform(0.01, 0.3))
            logged_at = trainer.tell(f"text line {number}")
            _await_line(socket, b"line %d" % number)
            delays_ms.append((time.time() - logged_at) * 1000)
        burst_s = _burst_s(socket, trainer, burst)
        socket.close()
    return [
        Row("a log line, until the log WebSocket has it, p50", median(delays_ms), "ms", 60),
        Row("a log line, until the log WebSocket has it, p95", percentile(delays_ms, 95), "ms", 150),
        Row(f"a burst of {burst:,} lines to one follower", burst_s, "s", 3),
    ]


def _await_line(socket: WebSocketClient, text: bytes) -> None:
    while not socket.next_text().endswith(b"| " + text):
        pass


def _burst_s(socket: WebSocketClient, trainer: Trainer, count: int) -> float:
    """From before the first line is written until the last is here; every line once, in order."""
    lines = [b"12:00:00 | burst %d: loss 0.123456, acc 0.912345, lr 0.000300" % number for number in range(count)]
    begin = time.perf_counter()
    with open(trainer.run_dir / "logs.txt", "ab") as log:
        log.write(b"\n".join(lines) + b"\n")
    received: list[bytes] = []
    while len(received) < count:
        socket.read_more()
        received += socket.arrived()
    taken_s = time.perf_counter() - begin
    assert received == lines
    return taken_s
