"""WS /api/runs/{run_id}/logs/ws: every row of its table in the specification."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from experiments.logs.following import run_log
from tests.run_directories import write_json, write_run
from tests.server import ViewerServer

_numbers = itertools.count(1)
#: Nothing here takes longer, unless it hangs.
PATIENCE_S = 10.0

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(server: ViewerServer) -> MakeRun:
    """Makes a run that is running and has the given log; None: no log file yet."""

    def make(log: bytes | None = b"", *, status: str = "running", scan: bool = True) -> Path:
        run_id = f"20250114_153045_{next(_numbers):06}"
        # of another machine: nobody may judge whether its process lives
        run_dir = write_run(
            server.storage, f"logs/x/runs/{run_id}", status={"status": status}, meta={"hostname": "far"}
        )
        if log is not None:
            (run_dir / "logs.txt").write_bytes(log)
        if scan:
            server.scan()
        return run_dir

    return make


def open_log(server: ViewerServer, run_dir: Path, query: str = "") -> connect:
    return connect(f"{server.ws_url}/api/runs/{quote(run_dir.name)}/logs/ws{query}", max_size=2**24)


async def frames(socket: ClientConnection, count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_S):
        return [str(await socket.recv()) for _ in range(count)]


async def is_silent(socket: ClientConnection, seconds: float = 0.5) -> bool:
    try:
        await asyncio.wait_for(socket.recv(), seconds)
    except asyncio.TimeoutError:
        return True
    return False


def append(run_dir: Path, data: bytes, name: str = "logs.txt") -> None:
    with (run_dir / name).open("ab") as file:
        file.write(data)


async def test_old_lines_come_first_then_new_ones_as_they_are_written(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"10:15:01 | loading data\n\n   \n10:15:09 | epoch 1 done\n")
    async with open_log(server, run_dir) as socket:
        old = await frames(socket, 2)
        append(run_dir, "10:15:12 | 第二轮\n\n10:15:13 | \xe9\n".encode() + b"bad \xff byte\n")
        new = await frames(socket, 3)

    assert old == ["10:15:01 | loading data", "10:15:09 | epoch 1 done"]
    assert new == ["10:15:12 | 第二轮", "10:15:13 | é", "bad \ufffd byte"]


async def test_an_unknown_run_is_told_and_closed(server: ViewerServer):
    async with connect(f"{server.ws_url}/api/runs/nope/logs/ws") as socket:
        assert await frames(socket, 1) == ["[error] run not found"]
        with pytest.raises(ConnectionClosed):
            await frames(socket, 1)


async def test_a_run_without_a_log_is_waited_for(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(None)
    async with open_log(server, run_dir) as socket:
        (waiting,) = await frames(socket, 1)
        append(run_dir, b"first\nsecond\n")
        begun, *lines = await frames(socket, 3)

    assert waiting.startswith("[info] ")
    assert begun.startswith("[info] ")
    assert lines == ["first", "second"]


async def test_a_long_log_begins_with_a_notice_and_its_last_lines_and_none_is_lost_after(
    server: ViewerServer, make_run: MakeRun
):
    run_dir = make_run(b"".join(b"line %d\n" % n for n in range(10_001)))
    async with open_log(server, run_dir) as socket:
        notice, *replay = await frames(socket, 10_001)
        append(run_dir, b"line 10001\n")
        (after,) = await frames(socket, 1)

    assert notice.startswith("[info] ")
    assert replay == [f"line {n}" for n in range(1, 10_001)]
    assert after == "line 10001"


@pytest.mark.parametrize(("tail", "expected"), [(2, ["[info]", "b", "c"]), (3, ["a", "b", "c"]), (9, ["a", "b", "c"])])
async def test_tail_limits_the_replay(server: ViewerServer, make_run: MakeRun, tail: int, expected: list[str]):
    run_dir = make_run(b"a\nb\nc\n")
    async with open_log(server, run_dir, f"?tail={tail}") as socket:
        received = await frames(socket, len(expected))

    assert [frame[:6] for frame in received] == expected


async def test_tail_0_gives_new_lines_only(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"old\n")
    async with open_log(server, run_dir, "?tail=0") as socket:
        await asyncio.sleep(0.3)
        append(run_dir, b"new\n")

        assert await frames(socket, 1) == ["new"]


@pytest.mark.parametrize("tail", ["-1", "x", "1.5", "9999999999", "%00"])
async def test_a_bad_tail_is_an_error_that_says_so(server: ViewerServer, make_run: MakeRun, tail: str):
    async with open_log(server, make_run(b"a\n"), f"?tail={tail}") as socket:
        (frame,) = await frames(socket, 1)

    assert frame.startswith("[error] tail is ")


async def test_a_torn_line_is_held_until_its_end_comes(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"whole\nto")
    async with open_log(server, run_dir) as socket:
        first = await frames(socket, 1)
        was_silent = await is_silent(socket)
        append(run_dir, b"rn\n")

        assert (first, was_silent, await frames(socket, 1)) == (["whole"], True, ["torn"])


async def test_a_line_that_stays_torn_comes_after_two_seconds(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"whole\n")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 1)
        append(run_dir, b"50%")
        started = time.monotonic()

        assert await frames(socket, 1) == ["50%"]
        assert time.monotonic() - started >= 1.9


async def test_a_truncated_or_replaced_file_starts_again(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"one\ntwo\nthree\n")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 3)
        (run_dir / "logs.txt").write_bytes(b"anew\n")
        truncated = await frames(socket, 1)
        (run_dir / "other").write_bytes(b"another file\nwith more\n")
        os.replace(run_dir / "other", run_dir / "logs.txt")
        replaced = await frames(socket, 2)

    assert (truncated, replaced) == (["anew"], ["another file", "with more"])


async def test_a_finished_run_is_looked_at_every_two_seconds(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"done\n", status="finished")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 1)
        await asyncio.sleep(0.3)
        append(run_dir, b"late\n")
        started = time.monotonic()

        assert await frames(socket, 1) == ["late"]
        assert time.monotonic() - started > 0.5


async def test_a_run_that_is_resumed_is_followed_closely_again(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"done\n", status="finished")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 1)
        write_json(run_dir / "status.json", {"status": "running"})
        await asyncio.sleep(2.5)
        delays = []
        for _ in range(3):
            await asyncio.sleep(0.05)
            append(run_dir, b"again\n")
            started = time.monotonic()
            await frames(socket, 1)
            delays.append(time.monotonic() - started)

    assert min(delays) < 0.5


async def test_lines_of_a_second_writer_are_followed_too(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"first host\n")
    append(run_dir, b"second host\n", "logs.gpu2-77.txt")
    async with open_log(server, run_dir) as socket:
        replay = await frames(socket, 2)
        append(run_dir, b"third host\n", "logs.gpu3-5.txt")
        late = await frames(socket, 1)
        append(run_dir, b"second again\n", "logs.gpu2-77.txt")

        assert (replay, late, await frames(socket, 1)) == (
            ["first host", "second host"],
            ["third host"],
            ["second again"],
        )


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
async def test_a_log_that_is_no_file_of_the_run_is_refused(
    server: ViewerServer, make_run: MakeRun, tmp_path: Path, kind: str
):
    run_dir = make_run(None)
    log = run_dir / "logs.txt"
    (tmp_path / "secret").write_text("secret\n")
    if kind == "link":
        log.symlink_to(tmp_path / "secret")
    elif kind == "fifo":
        os.mkfifo(log)
    else:
        log.mkdir()
    async with open_log(server, run_dir) as socket:
        (frame,) = await frames(socket, 1)
        with pytest.raises(ConnectionClosed):
            await frames(socket, 1)

    assert frame.startswith("[error] ")
    assert "secret\n" not in frame


async def test_every_follower_gets_every_line_once_and_in_order_whenever_it_came(
    server: ViewerServer, make_run: MakeRun
):
    run_dir = make_run(b"line 0\n")
    total = 300

    async def write() -> None:
        for n in range(1, total):
            append(run_dir, b"line %d\n" % n)
            await asyncio.sleep(0.005)

    async def follow(delay: float) -> list[str]:
        await asyncio.sleep(delay)
        async with open_log(server, run_dir) as socket:
            return await frames(socket, total)

    _, *received = await asyncio.gather(write(), *(follow(n * 0.05) for n in range(30)))

    assert all(lines == [f"line {n}" for n in range(total)] for lines in received)


async def test_a_burst_arrives_whole(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"start\n")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 1)
        append(run_dir, b"".join(b"10:15:01 | line %d of a burst\n" % n for n in range(50_000)))

        received = await frames(socket, 50_000)

    assert received == [f"10:15:01 | line {n} of a burst" for n in range(50_000)]


async def test_a_client_that_does_not_read_holds_up_nobody(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"start\n")
    async with open_log(server, run_dir) as slow, open_log(server, run_dir) as quick:
        await frames(quick, 1)
        append(run_dir, b"x" * 60 + b"\n" + b"".join(b"line %d\n" % n for n in range(20_000)))

        assert (await frames(quick, 20_001))[-1] == "line 19999"
        assert (await frames(slow, 20_002))[-1] == "line 19999"


async def test_a_ping_is_answered_and_other_messages_are_ignored(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"a\n")
    async with open_log(server, run_dir) as socket:
        await frames(socket, 1)
        for message in ("hello", "{}", b"\x00\xff", "x" * 10_000, "ping"):
            await socket.send(message)

        assert await frames(socket, 1) == ["pong"]


async def test_when_the_last_follower_leaves_nobody_looks_any_more(tmp_path: Path):
    append(tmp_path, b"a\n")
    log = run_log(tmp_path)
    async with log.followed():
        async with log.followed():
            pass
        assert run_log(tmp_path) is log, "one is still there"
    await asyncio.sleep(0)

    assert run_log(tmp_path) is not log
    assert not [task for task in asyncio.all_tasks() if "RunLog" in repr(task.get_coro())]


async def test_a_host_that_is_not_ours_is_refused(server: ViewerServer, make_run: MakeRun):
    address = f"ws://elsewhere.example:{server.port}/api/runs/x/logs/ws"
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(address, host="127.0.0.1", port=server.port):
            pass

    assert refusal.value.response.status_code in (400, 403)


async def test_any_origin_may_read(server: ViewerServer, make_run: MakeRun):
    run_dir = make_run(b"a\n")
    address = f"{server.ws_url}/api/runs/{run_dir.name}/logs/ws"
    async with connect(address, origin="https://elsewhere.example") as socket:  # type: ignore[arg-type]
        assert await frames(socket, 1) == ["a"]


async def test_an_idle_socket_is_closed_with_a_notice(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    from channels.testing import WebsocketCommunicator

    from experiments import consumers
    from experiments.models import Run, StorageRoot

    run_dir = make_run(b"a\n", scan=False)
    root = StorageRoot(key="local", path=str(run_dir.parents[3]))
    run = Run(root=root, path="/".join(run_dir.parts[-4:]), run_id=run_dir.name)
    monkeypatch.setattr(consumers, "get_run_for", lambda *args, **kwargs: run)
    monkeypatch.setattr(consumers, "LOG_IDLE_S", 0.3)
    scope: Any = f"/api/runs/{run_dir.name}/logs/ws"
    consumer = consumers.RunLogConsumer.as_asgi()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await consumer({**scope, "url_route": {"kwargs": {"run_id": run_dir.name}}}, receive, send)

    socket = WebsocketCommunicator(application, scope)
    await socket.connect()

    assert await socket.receive_from() == "a"
    assert (await socket.receive_from(timeout=5)).startswith("[info] No new line")
    assert (await socket.receive_output(timeout=5))["type"] == "websocket.close"
    await socket.disconnect()
