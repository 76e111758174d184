"""The log of an open run page.

The API's socket sends a frame a line; a page wants to know that there is more, and shows a part of any length.
"""

from __future__ import annotations

from functools import partial

import orjson

from experiments.access import get_run_for, run_directory
from experiments.consumers import StreamConsumer
from experiments.http.threads import in_request_thread
from experiments.logs.following import in_thread, run_log
from runicorn.errors import InvalidInput, RunicornError

#: Closed for a reason that connecting again would meet again.
CLOSE_FOR_GOOD = 4000


class PageLogConsumer(StreamConsumer):
    """Frames: {"files": {name: [which file it is, its end]}} whenever that changes, or {"problem": text}.

    The page fetches what it shows of it, as it does when the reader scrolls.
    """

    async def stream(self) -> None:
        try:
            await self._follow()
        except RunicornError as error:
            await self._send({"problem": str(error)})
            await self.close(code=CLOSE_FOR_GOOD)

    async def _follow(self) -> None:
        query = self.query()
        run_id = self.scope["url_route"]["kwargs"]["run_id"]
        find = partial(get_run_for, self.scope.get("user"), run_id, root=query.get("root"), path=query.get("path"))
        run = await in_request_thread(find)
        async with run_log(await in_thread(run_directory, run)).followed() as follower:
            told = None
            while follower.problem is None:
                if follower.ends != told:
                    told = follower.ends
                    await self._send({"files": told})
                await follower.change()
            raise InvalidInput(follower.problem)

    async def _send(self, message: dict[str, object]) -> None:
        await self.base_send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
