"""A download and a growing log whose clients never read: what that costs the web process in memory."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from benchmarks.client import HttpClient, WebSocketClient
from benchmarks.measurement import Row
from benchmarks.setting import Setting
from benchmarks.trainers import Trainer
from runicorn.storage import layout

MIB = 1024 * 1024
LIMIT_MIB = 50
#: The server had time to read far ahead, had it not waited for its client.
WATCHED_S = 8.0
LINE = b"12:00:00 | step 123456: loss 0.123456, acc 0.912345, lr 0.000300, 812.5 samples/s, 1.2 s a batch\n"
WRITTEN_AT_ONCE = 8 * MIB


def measure(setting: Setting) -> list[Row]:
    root = setting.folder / "stuck-readers"
    root.mkdir()
    size = setting.size(1024, 64) * MIB
    with setting.viewer(root, setting.home("stuck-readers")) as viewer, Trainer(root, viewer.home) as trainer:
        trainer.tell("text first")
        trainer.await_indexed()
        file = _sparse_file(trainer.run_dir / layout.MEDIA_DIR, size)
        client = viewer.client()
        _warm_up(client, trainer.run_id)
        web = viewer.child("serve")
        download = _download(viewer.port, f"/api/runs/{trainer.run_id}/media/{file.name}", web, size)
        log = _log(viewer.port, trainer, web, size)
        client.close()
    return [download, log]


def _download(port: int, path: str, web: psutil.Process, size: int) -> Row:
    with socket.create_connection(("127.0.0.1", port)) as client:
        before = web.memory_info().rss
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        grown = _peak(web, _moments(WATCHED_S)) - before
        answer = client.recv(64)
    if b" 200 " not in answer:
        raise RuntimeError(f"The download was answered by {answer!r}")
    return _row(f"a download of {size // MIB:,} MiB that nobody reads", grown, before)


def _log(port: int, trainer: Trainer, web: psutil.Process, size: int) -> Row:
    follower = WebSocketClient(port, f"/api/runs/{trainer.run_id}/logs/ws")
    while not follower.next_text().endswith(b"| first"):
        pass
    before = web.memory_info().rss
    grown = _peak(web, _written(trainer.run_dir / layout.LOGS, size)) - before
    follower.socket.close()
    return _row(f"{size // MIB:,} MiB of new log lines to a follower that does not read", grown, before)


def _row(what: str, grown: int, before: int) -> Row:
    detail = {"before_mib": before / MIB}
    return Row(f"{what}: the web process grows by", grown / MIB, "MiB", LIMIT_MIB, detail)


def _warm_up(client: HttpClient, run_id: str) -> None:
    """What is loaded by the first request of a kind is not what is measured."""
    for path in ("/api/runs", f"/api/runs/{run_id}", f"/api/runs/{run_id}/media/small.bin"):
        client.get(path)


def _sparse_file(folder: Path, size: int) -> Path:
    """A file of so many bytes that takes no room on disk, beside a small one."""
    folder.mkdir(exist_ok=True)
    (folder / "small.bin").write_bytes(b"small")
    file = folder / "large.bin"
    with file.open("wb") as large:
        large.truncate(size)
    return file


def _peak(process: psutil.Process, moments: Iterable[None]) -> int:
    """The most memory, in bytes, that the process has at any of the moments."""
    return max(process.memory_info().rss for _ in moments)


def _moments(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.02)
        yield


def _written(log: Path, size: int) -> Iterator[None]:
    """Append lines; a moment after each piece, and then as long as the server might still read."""
    piece = LINE * (WRITTEN_AT_ONCE // len(LINE))
    with log.open("ab") as file:
        for _ in range(size // len(piece)):
            file.write(piece)
            file.flush()
            yield
    yield from _moments(WATCHED_S)
