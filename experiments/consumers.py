"""WebSockets: find what is asked for, subscribe, forward. Both only read, so any origin may open them."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from experiments.access import get_run_for, run_directory
from experiments.http.clients import client_address
from experiments.http.limits.in_force import limits_in_force
from experiments.http.limits.streams import open_streams
from experiments.http.threads import in_request_thread
from experiments.live import Subscription, change_feed
from experiments.logs.following import Follower, in_thread, run_log
from runicorn.errors import InvalidInput, RunicornError, RunNotFound

logger = logging.getLogger(__name__)

#: What a log socket sends of what is already there.
REPLAY_LINES = 10_000
#: A log socket without new lines for that long is closed.
LOG_IDLE_S = 3600.0
#: After that many frames in a row others on the event loop get their turn.
FRAMES_A_TURN = 100


class StreamConsumer(AsyncWebsocketConsumer, ABC):
    """A socket that one task of its own writes to until the client leaves."""

    _task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self._task = asyncio.create_task(self._run())

    async def disconnect(self, code: int) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self.stream()
        except RunicornError as error:
            await self.send(text_data=f"[error] {error}")
            await self.close()
        except Exception:
            logger.exception("The stream %s ended by a bug.", self.scope["path"])
            await self.close(code=1011)

    @abstractmethod
    async def stream(self) -> None:
        """Send until there is nothing more to say. A RunicornError is told to the client."""

    def query(self) -> dict[str, str]:
        pairs = parse_qs(self.scope["query_string"].decode("latin-1"))
        return {name: values[-1] for name, values in pairs.items()}


class RunLogConsumer(StreamConsumer):
    """One text frame a log line. Lines in brackets are ours: [info] and [error]."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data == "ping":
            await self.send(text_data="pong")

    async def stream(self) -> None:
        query = self.query()
        count = _tail_of(query)
        run_id = self.scope["url_route"]["kwargs"]["run_id"]
        find = partial(get_run_for, self.scope.get("user"), run_id, root=query.get("root"), path=query.get("path"))
        try:
            run = await in_request_thread(find)
        except RunNotFound as error:
            raise RunNotFound("run not found") from error  # the reference's words
        limits = await in_request_thread(limits_in_force.now)
        with open_streams.one_more(client_address(self.scope), limits):
            async with run_log(await in_thread(run_directory, run)).followed() as follower:
                await self._replay(follower, count)
                await self._forward(follower)

    async def _replay(self, follower: Follower, count: int) -> None:
        if not follower.has_files and follower.problem is None:
            await self.send(text_data="[info] No log yet; waiting for its first line.")
            return
        lines, is_cut = await follower.replay(count) if count else ([], False)
        if is_cut:
            await self.send(text_data=f"[info] The log is longer; these are its last {count} lines.")
        await self._send_lines(lines)

    async def _forward(self, follower: Follower) -> None:
        waited_for_file = not follower.has_files
        while True:
            try:
                lines = await asyncio.wait_for(follower.next_lines(), LOG_IDLE_S)
            except asyncio.TimeoutError:
                await self.send(text_data=f"[info] No new line for {LOG_IDLE_S:.0f} s; connect again to go on.")
                return await self.close()
            if waited_for_file and lines:
                waited_for_file = False
                await self.send(text_data="[info] The log has begun.")
            await self._send_lines(lines)
            if follower.problem is not None:
                raise InvalidInput(follower.problem)

    async def _send_lines(self, lines: list[str]) -> None:
        for first in range(0, len(lines), FRAMES_A_TURN):
            for line in lines[first : first + FRAMES_A_TURN]:
                # what AsyncWebsocketConsumer.send comes down to, without four calls on the way
                await self.base_send({"type": "websocket.send", "text": line})
            await asyncio.sleep(0)


def _tail_of(query: dict[str, str]) -> int:
    text = query.get("tail", str(REPLAY_LINES))
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(f"tail is {text!r}; give a number of lines, 0 for new ones only.")
    return min(int(text), REPLAY_LINES)


class LiveConsumer(StreamConsumer):
    """Notices of what changed in the index, for the pages; see experiments.live for the messages."""

    _subscription: Subscription

    async def connect(self) -> None:
        self._subscription = Subscription()
        await super().connect()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = orjson.loads(text_data or "")
            self._subscription.apply(message)
        except (orjson.JSONDecodeError, InvalidInput) as error:
            await self._send({"type": "error", "detail": str(error)})

    async def stream(self) -> None:
        async with change_feed().subscribed(self._subscription):
            while True:
                await self._send(await self._subscription.next_message())

    async def _send(self, message: dict[str, Any]) -> None:
        await self.base_send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
