"""The log of an open run page.

The API's socket sends a frame a line; a page wants few frames, and to go on where it was.
"""

from __future__ import annotations

from functools import partial

import orjson

from experiments.access import get_run_for, run_directory
from experiments.consumers import StreamConsumer
from experiments.http.threads import in_request_thread
from experiments.logs import Follower, Places, in_thread, run_log
from runicorn.errors import InvalidInput, RunicornError

#: Lines that a page begins with in a log file of another host's writer.
TAIL_LINES = 500
#: A page that was away for longer than that is better loaded anew.
MAX_CATCH_UP_BYTES = 8 * 1024 * 1024
#: Closed for a reason that connecting again would meet again.
CLOSE_FOR_GOOD = 4000


class PageLogConsumer(StreamConsumer):
    """Frames: {"lines", "places"}, {"reload": true} or {"problem": text}.

    The client sends back the last ``places`` when it connects again: no line is missed, none comes twice.
    """

    async def stream(self) -> None:
        try:
            await self._follow()
        except RunicornError as error:
            await self._send({"problem": str(error)})
            await self.close(code=CLOSE_FOR_GOOD)

    async def _follow(self) -> None:
        query = self.query()
        places = _places_in(query.get("places", "{}"))
        run_id = self.scope["url_route"]["kwargs"]["run_id"]
        find = partial(get_run_for, self.scope.get("user"), run_id, root=query.get("root"), path=query.get("path"))
        run = await in_request_thread(find)
        async with run_log(await in_thread(run_directory, run)).followed() as follower:
            if await follower.go_to(places, tail=TAIL_LINES) > MAX_CATCH_UP_BYTES:
                await self._send({"reload": True})
                await self.close(code=CLOSE_FOR_GOOD)
            else:
                await self._forward(follower)

    async def _forward(self, follower: Follower) -> None:
        while follower.problem is None:
            lines = await follower.next_lines()
            await self._send({"lines": lines, "places": follower.places})
        raise InvalidInput(follower.problem)

    async def _send(self, message: dict[str, object]) -> None:
        await self.base_send({"type": "websocket.send", "text": orjson.dumps(message).decode()})


def _places_in(text: str) -> Places:
    try:
        sent = orjson.loads(text)
        return {str(name): (str(token), max(0, int(offset))) for name, (token, offset) in sent.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInput("The places of the log are not understood; load the page again.") from error
