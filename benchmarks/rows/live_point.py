"""From a point logged to the API and to the WebSocket of a page."""

from __future__ import annotations

import random
import time

import orjson

from benchmarks.client import HttpClient, WebSocketClient
from benchmarks.measurement import Row, median, percentile
from benchmarks.setting import Setting
from benchmarks.trainers import Trainer

TIMEOUT_S = 30.0


def measure(setting: Setting) -> list[Row]:
    root, choose = setting.folder / "live-point", random.Random(9)
    root.mkdir()
    to_socket, to_api = [], []
    with setting.viewer(root, setting.home("live-point")) as viewer, Trainer(root, viewer.home) as trainer:
        client, socket = viewer.client(), WebSocketClient(viewer.port, "/live/ws")
        socket.send('{"subscribe": "*"}')
        trainer.tell("log 1")
        _await_in_api(client, trainer.run_id, 1)
        for step in range(2, setting.size(60, 15) + 2):
            time.sleep(choose.uniform(0.05, 0.6))
            socket.arrived()  # whatever came since
            logged_at = trainer.tell(f"log {step}")
            to_socket.append(_await_notice(socket, trainer.run_id, step) - logged_at)
            to_api.append(_await_in_api(client, trainer.run_id, step) - logged_at)
        socket.close()
    return [
        Row("a point logged, until a page's WebSocket tells, p95", percentile(to_socket, 95), "s", 1, _p50(to_socket)),
        Row("a point logged, until it is in the API, p95", percentile(to_api, 95), "s", 1, _p50(to_api)),
    ]


def _p50(samples: list[float]) -> dict[str, float]:
    return {"p50": median(samples)}


def _await_notice(socket: WebSocketClient, run_id: str, records: int) -> float:
    """When the notice came that the run has so many records."""
    while True:
        message = orjson.loads(socket.next_text())
        for change in message.get("changes", ()):
            if change["run"] == run_id and change["kind"] == "points" and change["records"] >= records:
                return time.time()


def _await_in_api(client: HttpClient, run_id: str, step: int) -> float:
    """When an answer that has the step was here."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            rows = orjson.loads(client.get(f"/api/runs/{run_id}/metrics_step"))["rows"]
        except RuntimeError:  # the run itself is not there yet
            rows = []
        if rows and rows[-1]["global_step"] >= step:
            return time.time()
        time.sleep(0.01)
    raise TimeoutError(f"Step {step} did not come to the API.")
