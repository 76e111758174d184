"""How the event loop of the web process learns that somebody wrote to the index, without asking for its rows."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Protocol
from urllib.parse import quote

from django.db import DatabaseError, OperationalError, connections

#: How often SQLite is asked whether anybody wrote: a microsecond's work without a lock.
POLL_INTERVAL_S = 0.1
#: PostgreSQL tells of every change; a connection that died without a word is found out after this long.
SILENCE_S = 30.0


class FeedWatch(Protocol):
    async def changed(self) -> None:
        """Return as soon as something may have been written since the last call; the first call returns at once.

        Raises django.db.DatabaseError.
        """

    async def close(self) -> None: ...


async def open_watch() -> FeedWatch:
    """Raises django.db.DatabaseError."""
    if connections["index"].vendor == "postgresql":
        return await NotificationWatch.open()
    return DataVersionWatch()


class DataVersionWatch:
    """Asks SQLite whether the file is another than before."""

    def __init__(self) -> None:
        self._seen: object = None
        path = connections.settings["index"]["NAME"]
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise DatabaseError(str(error)) from error

    async def changed(self) -> None:
        try:
            while (version := self._connection.execute("PRAGMA data_version").fetchone()[0]) == self._seen:
                await asyncio.sleep(POLL_INTERVAL_S)
        except sqlite3.Error as error:
            raise DatabaseError(str(error)) from error
        self._seen = version

    async def close(self) -> None:
        self._connection.close()


class NotificationWatch:
    """Listens to what the transactions of the change feed notify."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_first = True

    @classmethod
    async def open(cls) -> NotificationWatch:
        # not at the top: where the index is a file, psycopg is not loaded
        import psycopg

        from experiments.postgresql import CHANNEL, connection_arguments

        try:
            connection = await psycopg.AsyncConnection.connect(**connection_arguments("index"), autocommit=True)
            await connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error
        return cls(connection)

    async def changed(self) -> None:
        import psycopg

        if self._is_first:
            self._is_first = False
            return
        try:
            async for _ in self._connection.notifies(timeout=SILENCE_S, stop_after=1):
                return
            await self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error

    async def close(self) -> None:
        await self._connection.close()
