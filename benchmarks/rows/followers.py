"""Many followers of one log that grows: every line to each of them once, in order, at little cost."""

from __future__ import annotations

import selectors
import threading
import time

from benchmarks.client import WebSocketClient
from benchmarks.measurement import Row
from benchmarks.setting import Setting
from benchmarks.trainers import Trainer

LINES_A_SECOND = 20
#: After the last line was written.
PATIENCE_S = 10.0


def measure(setting: Setting) -> list[Row]:
    root = setting.folder / "followers"
    root.mkdir()
    count, seconds = setting.size(200, 50), setting.size(60, 10)
    expected = [f"step {number}".encode() for number in range(LINES_A_SECOND * seconds)]
    with setting.viewer(root, setting.home("followers")) as viewer, Trainer(root, viewer.home) as trainer:
        trainer.tell("text first")
        trainer.await_indexed()
        path = f"/api/runs/{trainer.run_id}/logs/ws"
        followers = [WebSocketClient(viewer.port, path) for _ in range(count)]
        for follower in followers:
            follower.next_text()
        web = viewer.child("serve")
        before, begin = _cpu_s(web), time.monotonic()
        writer = threading.Thread(target=_write, args=(trainer, len(expected)))
        writer.start()
        received = _receive(followers, len(expected), seconds + PATIENCE_S)
        writer.join()
        elapsed_s, used_s = time.monotonic() - begin, _cpu_s(web) - before
        for follower in followers:
            follower.close()
    wrong = sum(lines != expected for lines in received)
    name = f"{count} followers of one log, {LINES_A_SECOND} lines/s"
    detail = {"seconds": elapsed_s, "lines": sum(map(len, received))}
    return [
        Row(f"{name}: followers that missed or repeated a line", wrong, "", 0, detail),
        Row(f"{name}: cores of the web process", used_s / elapsed_s, "cores", 0.5),
    ]


def _cpu_s(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]
    return float(times.user + times.system)


def _write(trainer: Trainer, count: int) -> None:
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number / LINES_A_SECOND - time.monotonic()))
        trainer.tell(f"text step {number}")


def _receive(followers: list[WebSocketClient], count: int, timeout_s: float) -> list[list[bytes]]:
    """The texts that each follower got, until all have ``count`` or the time is over."""
    received: list[list[bytes]] = [[] for _ in followers]
    selector = selectors.DefaultSelector()
    for place, follower in enumerate(followers):
        selector.register(follower.socket, selectors.EVENT_READ, place)
    waiting, deadline = len(followers), time.monotonic() + timeout_s
    while waiting and time.monotonic() < deadline:
        for key, _ in selector.select(timeout=0.1):
            lines = received[key.data]
            followers[key.data].read_more()
            had = len(lines)
            lines += (text.partition(b"| ")[2] for text in followers[key.data].arrived())
            waiting -= had < count <= len(lines)
    return received
