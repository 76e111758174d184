"""How many logs one address may follow at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.run_directories import write_run
from tests.server import ViewerServer, running_server, write_limits

RUN_ID = "20250114_153045_a1b2c3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Believes who says where it comes from."""
    folder = tmp_path_factory.mktemp("streams")
    with running_server(folder, limits=None, RUNICORN_TRUSTED_PROXIES="127.0.0.1", RUNICORN_NO_AUTH="1") as server:
        run_dir = write_run(server.storage, f"vision/vit/runs/{RUN_ID}")
        (run_dir / "logs.txt").write_text("first\n")
        server.scan()
        yield server


def follow(server: ViewerServer, address: str) -> connect:
    return connect(
        f"{server.ws_url}/api/runs/{RUN_ID}/logs/ws", additional_headers={"X-Forwarded-For": address}, open_timeout=30
    )


async def first_frame(socket: ClientConnection) -> str:
    async with asyncio.timeout(30):
        return str(await socket.recv())


async def test_the_65th_is_refused_until_one_is_closed_and_other_addresses_are_not(server: ViewerServer):
    async with AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(follow(server, "192.0.2.1")) for _ in range(64)]
        allowed = {await first_frame(socket) for socket in sockets}
        async with follow(server, "192.0.2.1") as one_too_many, follow(server, "192.0.2.2") as another:
            refused, other = await first_frame(one_too_many), await first_frame(another)
            await one_too_many.wait_closed()
        await sockets[0].close()

        assert allowed == {"first"}
        assert refused == "[error] The limit of log streams of one address, 64, is reached; close one of them."
        assert other == "first"
        await until_allowed(server, "192.0.2.1")


async def until_allowed(server: ViewerServer, address: str) -> None:
    async with asyncio.timeout(30):
        while True:
            async with follow(server, address) as socket:
                if await first_frame(socket) == "first":
                    return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_this_machine_is_not_limited(server: ViewerServer, address: str):
    async with AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(follow(server, address)) for _ in range(70)]

        assert {await first_frame(socket) for socket in sockets} == {"first"}


@pytest.mark.parametrize(
    ("settings", "refused"),
    [({"max_log_streams": 1}, True), ({"max_log_streams": 1, "enable_rate_limiting": False}, False)],
)
async def test_the_number_is_set_by_the_users_file(server: ViewerServer, settings: dict[str, object], refused: bool):
    file: Path = write_limits(server.storage.parent / "config", {"settings": settings})
    await asyncio.sleep(1.5)  # when it is in force
    async with follow(server, "192.0.2.3") as one:
        frames = [await first_frame(one)]  # before the other: two at once are counted in any order
        async with follow(server, "192.0.2.3") as two:
            frames.append(await first_frame(two))

    file.unlink()
    assert frames[0] == "first"
    assert frames[1].startswith("[error] The limit") is refused
