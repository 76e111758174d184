"""WS /live/ws: notices of what changed in the index."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.run_directories import log_records, write_json, write_run
from tests.server import ViewerServer

_numbers = itertools.count(1)
PATIENCE_S = 10.0


def new_run(server: ViewerServer) -> Any:
    run_id = f"20250114_153045_b{next(_numbers):05}"
    run_dir = write_run(server.storage, f"live/x/runs/{run_id}", status={"status": "running"}, meta={"hostname": "far"})
    server.scan()
    return run_dir


def live(server: ViewerServer) -> connect:
    return connect(f"{server.ws_url}/live/ws")


async def subscribe(socket: ClientConnection, runs: object) -> None:
    """Ask, and wait until it holds."""
    await say(socket, subscribe=runs)
    await hear(socket, type="subscribed")


async def say(socket: ClientConnection, **message: object) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection, *, kind: str = "", type: str = "", run: str = "") -> dict[str, Any]:
    """The next message, or the next one of that sort: what the tests before did may still be told."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            kinds = {change["kind"] for change in message.get("changes", [])}
            runs = {change["run"] for change in message.get("changes", [])}
            if kind in ("", *kinds) and type in ("", message["type"]) and run in ("", *runs):
                return message


async def is_silent(socket: ClientConnection) -> bool:
    try:
        await asyncio.wait_for(socket.recv(), 0.5)
    except asyncio.TimeoutError:
        return True
    return False


async def newest_sequence(server: ViewerServer) -> int:
    code = "from experiments.queries.changes import newest_sequence; print(newest_sequence())"
    return int(await asyncio.to_thread(server.run_python, code))


async def test_a_change_is_told_with_its_run_kind_and_number_of_records(server: ViewerServer):
    run_dir = new_run(server)
    async with live(server) as socket:
        await subscribe(socket, "*")
        log_records(run_dir, [{"global_step": n, "loss": 1.0} for n in range(3)])
        await asyncio.to_thread(server.scan)
        message = await hear(socket, kind="points", run=run_dir.name)

    points = next(change for change in message["changes"] if change["kind"] == "points")
    assert message["type"] == "changes"
    assert message["seq"] == await newest_sequence(server)
    assert (points["run"], points["records"]) == (run_dir.name, 3)
    assert (points["root"], points["path"]) == ("local", f"live/x/runs/{run_dir.name}")


async def test_a_listener_hears_only_of_the_runs_it_asked_for(server: ViewerServer):
    mine, other = new_run(server), new_run(server)
    async with live(server) as socket, live(server) as nothing_asked:
        await subscribe(socket, [mine.name])
        for run_dir in (other, mine):
            write_json(run_dir / "status.json", {"status": "finished"})
            await asyncio.to_thread(server.scan)
        message = await hear(socket)

        assert {change["run"] for change in message["changes"]} == {mine.name}
        assert await is_silent(nothing_asked)


async def test_who_comes_back_hears_what_it_missed(server: ViewerServer):
    run_dir = new_run(server)
    async with live(server) as socket:
        await subscribe(socket, "*")
        since = await newest_sequence(server)
    log_records(run_dir, [{"global_step": 1, "loss": 1.0}])
    await asyncio.to_thread(server.scan)

    async with live(server) as socket:
        await subscribe(socket, [run_dir.name])
        await say(socket, since=since)
        message = await hear(socket, kind="points")

    assert {change["run"] for change in message["changes"]} == {run_dir.name}


async def test_who_was_away_too_long_or_comes_from_another_index_loads_anew(server: ViewerServer):
    new_run(server)
    newest = await newest_sequence(server)
    server.run_python(f"from experiments.models import Change; Change.objects.filter(pk__lt={newest}).delete()")
    async with live(server) as socket:
        await subscribe(socket, "*")
        await say(socket, since=newest - 2)
        trimmed = await hear(socket, type="reset")
        await say(socket, since=newest + 1000)
        future = await hear(socket, type="reset")
        await say(socket, since=newest)

        assert (trimmed, future) == ({"type": "reset", "seq": newest},) * 2
        assert await is_silent(socket)


async def test_a_run_that_is_removed_is_told_too(server: ViewerServer):
    run_dir = new_run(server)
    async with live(server) as socket:
        await subscribe(socket, [run_dir.name])
        for entry in run_dir.iterdir():
            entry.unlink()
        run_dir.rmdir()
        await asyncio.to_thread(server.scan)

        message = await hear(socket, kind="removed")

    assert message["changes"][-1] | {"kind": "removed", "root": None, "path": None} == message["changes"][-1]


MESSAGES = ["", "nonsense", "[]", "{}", '{"subscribe": 5}', '{"subscribe": [1]}', '{"since": -1}', '{"since": "x"}']


@pytest.mark.parametrize("text", [*MESSAGES, '{"since": true}', '{"since": 1e99}', "[" * 2000])
async def test_a_message_that_makes_no_sense_is_answered_and_changes_nothing(server: ViewerServer, text: str):
    run_dir = new_run(server)
    async with live(server) as socket:
        await subscribe(socket, "*")
        await socket.send(text)
        error = await hear(socket, type="error")
        write_json(run_dir / "status.json", {"status": "finished"})
        await asyncio.to_thread(server.scan)

        assert isinstance(error["detail"], str)
        assert (await hear(socket, run=run_dir.name))["type"] == "changes"


async def test_a_host_that_is_not_ours_is_refused(server: ViewerServer):
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://elsewhere.example:{server.port}/live/ws", host="127.0.0.1", port=server.port):
            pass


async def test_the_last_listener_stops_the_reader_and_the_next_starts_it(server: ViewerServer):
    for _ in range(3):
        run_dir = new_run(server)
        async with live(server) as socket:
            await subscribe(socket, "*")
            write_json(run_dir / "status.json", {"status": "finished"})
            await asyncio.to_thread(server.scan)

            assert (await hear(socket, run=run_dir.name))["type"] == "changes"


async def test_an_address_without_a_socket_is_refused(server: ViewerServer):
    for address in ("/", "/live", "/api/runs/a/b/logs/ws", "/nowhere"):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(server.ws_url + address)
        assert refusal.value.response.status_code == 403
