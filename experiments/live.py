"""Live changes: one reader of the change feed a web process, on its event loop, and everybody who listens.

Messages of the socket ``/live/ws``:

    page → {"subscribe": ["<run id>", …]} or {"subscribe": "*"}     what it wants to hear of; of an artifact: its path
    page → {"since": 123}                                           what it has seen; sent again after a reconnect
    us   → {"type": "subscribed", "from": 129}                      changes after that number are told from now on
    us   → {"type": "changes", "seq": 130, "changes": [{"seq", "run", "root", "path", "kind", "records"}, …]}
    us   → {"type": "reset", "seq": 130}                            too much was missed: load anew

Notices say what changed and carry no data. A listener pulls from its own place in the feed, so a slow one holds up
nobody and is never owed more than one message. Rules and measurements: docs/design/0006-live.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from django.db import DatabaseError

from experiments.feed_watch import FeedWatch, open_watch
from experiments.http.threads import in_request_thread
from experiments.queries.changes import Notice, changes_after, newest_sequence
from runicorn.errors import InvalidInput

logger = logging.getLogger(__name__)

#: After an error of the database.
RETRY_S = 1.0
#: Notices kept in memory; who is further behind reads the table.
RECENT_NOTICES = 2000
MAX_SUBSCRIBED_RUNS = 1000


class ChangeFeed:
    """What the mirror wrote, as it writes it. Used on one event loop only."""

    def __init__(self) -> None:
        self.newest = 0
        self._recent: list[Notice] = []
        self._listeners: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()

    @asynccontextmanager
    async def subscribed(self, subscription: Subscription) -> AsyncIterator[None]:
        """Let a subscription hear. The first one starts the reader, the last one stops it."""
        self._listeners.add(subscription)
        if self._task is None:
            self._is_ready.clear()
            self._task = asyncio.create_task(self._read())
        try:
            await self._is_ready.wait()
            subscription.start(self)
            yield
        finally:
            self._listeners.discard(subscription)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def after(self, sequence: int) -> list[Notice] | None:
        """Notices behind ``sequence``; None if they are gone."""
        if self._recent and self._recent[0]["seq"] <= sequence + 1:
            return [notice for notice in self._recent if notice["seq"] > sequence]
        return await in_request_thread(changes_after, sequence)

    async def _read(self) -> None:
        while True:
            try:
                watch = await open_watch()
                try:
                    await self._begin()
                    await self._follow(watch)
                finally:
                    await watch.close()
            except DatabaseError as error:
                logger.warning("The change feed could not be read (%s); trying again.", error)
                await asyncio.sleep(RETRY_S)
            except Exception:
                # whatever it is, listeners must not wait for a reader that is gone
                logger.exception("The change feed could not be read; trying again.")
                await asyncio.sleep(RETRY_S)

    async def _begin(self) -> None:
        """Start at the end of the feed. Listeners who are elsewhere read the table, or are told to load anew."""
        self._recent = []
        self.newest = await in_request_thread(newest_sequence)
        self._is_ready.set()
        self._wake()

    async def _follow(self, watch: FeedWatch) -> None:
        while True:
            await watch.changed()
            await self._take_over()

    async def _take_over(self) -> None:
        notices = await in_request_thread(changes_after, self.newest)
        if notices is None:
            await self._begin()
        elif notices:
            self._recent = (self._recent + notices)[-RECENT_NOTICES:]
            self.newest = notices[-1]["seq"]
            self._wake()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.waker.set()


class Subscription:
    """What one listener wants to hear of, and how far it has heard."""

    def __init__(self) -> None:
        self.waker = asyncio.Event()
        self._feed: ChangeFeed | None = None
        self._wanted: frozenset[str] | None = frozenset()  # None: all
        self._place: int | None = None
        self._owes_answer = False

    def start(self, feed: ChangeFeed) -> None:
        self._feed = feed
        if self._place is None:
            self._place = feed.newest

    def apply(self, message: object) -> None:
        """Take over what the listener sent. Raises InvalidInput."""
        if not isinstance(message, Mapping) or not ({"subscribe", "since"} & message.keys()):
            raise InvalidInput('Send {"subscribe": [run ids]}, {"subscribe": "*"} or {"since": number}.')
        if "subscribe" in message:
            self._wanted = _wanted(message["subscribe"])
            self._owes_answer = True
        if "since" in message:
            since = message["since"]
            if not isinstance(since, int) or isinstance(since, bool) or not 0 <= since < 2**63:
                raise InvalidInput(f"since is {since!r}; send the seq of the last message.")
            self._place = since
        self.waker.set()

    async def next_message(self) -> dict[str, Any]:
        """Waits until there is something to say."""
        assert self._feed is not None, "start() comes first"
        assert self._place is not None
        while True:
            self.waker.clear()
            if self._owes_answer:
                self._owes_answer = False
                return {"type": "subscribed", "from": self._place}
            if self._place != self._feed.newest:
                place, notices = self._place, None
                if self._place < self._feed.newest:
                    notices = await self._feed.after(self._place)
                if place != self._place:
                    continue  # the listener named another place meanwhile
                if not notices:
                    self._place = self._feed.newest
                    return {"type": "reset", "seq": self._place}
                self._place = notices[-1]["seq"]
                wanted = self._matching(notices)
                if wanted:
                    return {"type": "changes", "seq": self._place, "changes": wanted}
            else:
                await self.waker.wait()

    def _matching(self, notices: list[Notice]) -> list[Notice]:
        """What this listener wants, of each run and kind the last one only."""
        last = {
            (notice["run"], notice["path"], notice["kind"]): notice
            for notice in notices
            if self._wanted is None or notice["run"] in self._wanted or notice["path"] in self._wanted
        }
        return list(last.values())


def _wanted(value: object) -> frozenset[str] | None:
    if value == "*":
        return None
    if not isinstance(value, list) or len(value) > MAX_SUBSCRIBED_RUNS or not all(isinstance(i, str) for i in value):
        raise InvalidInput(f'subscribe takes "*" or a list of at most {MAX_SUBSCRIBED_RUNS} run ids.')
    return frozenset(value)


_feed: ChangeFeed | None = None


def change_feed() -> ChangeFeed:
    """The one feed of this process; made on the event loop that uses it."""
    global _feed
    if _feed is None:
        _feed = ChangeFeed()
    return _feed
