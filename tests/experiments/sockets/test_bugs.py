"""A mistake of ours in the code behind a socket is logged, and nobody waits for ever for what will not come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from experiments import live
from experiments.consumers import StreamConsumer
from experiments.logs import following

PATIENCE_S = 5.0


def broken(*arguments: object) -> Any:
    raise ZeroDivisionError("our mistake")


async def test_a_stream_with_a_bug_is_closed_and_the_log_says_why(caplog: pytest.LogCaptureFixture):
    class Broken(StreamConsumer):
        async def stream(self) -> None:
            broken()

    socket = WebsocketCommunicator(Broken.as_asgi(), "/some/ws")
    await socket.connect()

    with caplog.at_level(logging.ERROR):
        assert await socket.receive_output(timeout=PATIENCE_S) == {"type": "websocket.close", "code": 1011}
    assert "our mistake" in caplog.text
    assert "/some/ws" in caplog.text


def test_a_stream_must_say_what_it_sends():
    with pytest.raises(TypeError, match="abstract"):
        StreamConsumer()  # type: ignore[abstract]


async def test_followers_of_a_log_that_hits_a_bug_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "logs.txt").write_text("a\n")
    monkeypatch.setattr(following, "RUNNING_INTERVAL_S", 0.01)
    monkeypatch.setattr(following, "IDLE_INTERVAL_S", 0.01)
    async with following.run_log(tmp_path).followed() as follower:
        assert follower.problem is None
        monkeypatch.setattr(following, "_look", broken)
        async with asyncio.timeout(PATIENCE_S):
            assert await follower.next_lines() == []

        assert follower.problem == "The log cannot be followed; the viewer's own log says why."
    assert "our mistake" in caplog.text


async def test_the_change_feed_begins_again_after_a_bug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    class Watch:
        """Tells a new version each time it is asked."""

        async def changed(self) -> None:
            await asyncio.sleep(0.01)

        async def close(self) -> None:
            pass

    async def open_watch() -> Watch:
        return Watch()

    answers: list[Callable[..., Any]] = [broken, lambda _: [], broken]
    notice = {"seq": 8, "run": "r", "root": "local", "path": "p", "kind": "points", "records": 1}

    async def directly(function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)

    monkeypatch.setattr(live, "in_request_thread", directly)
    monkeypatch.setattr(live, "open_watch", open_watch)
    monkeypatch.setattr(live, "newest_sequence", lambda: 7)
    monkeypatch.setattr(live, "changes_after", lambda seq: answers.pop(0)(seq) if answers else [notice])
    monkeypatch.setattr(live, "RETRY_S", 0.01)
    subscription = live.Subscription()
    subscription.apply({"subscribe": "*"})

    async with asyncio.timeout(PATIENCE_S), live.ChangeFeed().subscribed(subscription):
        assert await subscription.next_message() == {"type": "subscribed", "from": 7}
        assert (await subscription.next_message())["changes"] == [notice]

    assert caplog.text.count("The change feed could not be read") == 2
