"""Our server: daphne that waits for its clients, and lets go of those who do not take what they asked for.

daphne writes whatever an application sends into the connection's buffer, without limit. Twisted tells the producer of a
connection when that buffer is full (pauseProducing) and when it is empty again (resumeProducing). The producer is
daphne's HTTP channel, also after an upgrade to WebSocket; ours passes the word on to a Flow, and the server lets each
message wait for it. What the limits are and why: docs/design/0015-back-pressure.md.
"""

from __future__ import annotations

from daphne.server import Server  # isort: skip (first: it installs the event loop)

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.web.http import HTTPChannel

#: Close codes of RFC 6455: the peer breaks the rules; try again later.
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
#: Messages of one WebSocket client that may wait for us to handle them.
MAX_WAITING_MESSAGES = 1000
TOO_LARGE = "HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"


@dataclass(frozen=True)
class Limits:
    """What one connection may cost."""

    #: A connection with more than that to send is full: nothing is added before all of it is gone.
    full_bytes: int = 256 * 1024
    #: A WebSocket that stays full for that long is closed with 1013, and has as long again to take what is on its way.
    full_socket_s: float = 30.0
    #: An HTTP answer of which nothing is taken for that long is given up, and with it its file and thread.
    full_answer_s: float = 600.0
    #: A WebSocket is asked for a sign of life that often, and is lost without one for so long.
    ping_s: float = 20.0
    silent_socket_s: float = 60.0
    #: A larger body is refused with 413: daphne holds it in memory until the view has read it.
    body_bytes: int = 16 * 1024 * 1024
    #: How long a client whose body is refused may go on sending, so that it sees the answer and no reset connection.
    refused_body_s: float = 5.0
    #: The largest WebSocket message from a client: the longest subscription has 1,000 run ids.
    message_bytes: int = 128 * 1024
    #: How often connections are held against these limits.
    watch_s: float = 2.0


class Flow:
    """Whether one connection takes more. Used on the event loop only."""

    def __init__(self) -> None:
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._full_since = 0.0
        self.heard_at = time.monotonic()

    @property
    def is_full(self) -> bool:
        return not self._has_room.is_set()

    @property
    def full_s(self) -> float:
        """For how long nothing could be added."""
        return time.monotonic() - self._full_since if self.is_full else 0.0

    def stop(self) -> None:
        if not self.is_full:
            self._full_since = time.monotonic()
            self._has_room.clear()

    def go_on(self) -> None:
        self.heard_at = time.monotonic()  # the peer's machine has taken everything
        self._has_room.set()

    async def room(self) -> None:
        while self.is_full:
            await self._has_room.wait()


class Channel(HTTPChannel):
    """A connection: tells its flow what Twisted tells it, and reads no body beyond the limit."""

    transport: Any
    requestFactory: Any

    def connectionMade(self) -> None:
        super().connectionMade()
        self.requestFactory = Request
        self.server: FlowServer = self.factory.server
        self.transport.bufferSize = self.server.limits.full_bytes
        self.flow = self.server.flows[self.transport] = Flow()

    def pauseProducing(self) -> None:
        super().pauseProducing()
        self.flow.stop()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.flow.go_on()

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        if (self.length or 0) > self.server.limits.body_bytes:
            request.requestHeaders.removeHeader(b"expect")  # or Twisted would now ask for the body
            request.refuse_body()
        super().allHeadersReceived()

    def connectionLost(self, reason: Any = None) -> None:
        self.server.lost(self.transport)
        super().connectionLost(reason)


class Request(WebRequest):
    """A request whose body is limited, and whose answer is cut off visibly if it breaks half-way."""

    def __init__(self, channel: Channel, queued: bool) -> None:
        self._body_bytes = 0
        self._is_refused = False
        # forms are for Django to parse
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def handleContentChunk(self, data: bytes) -> None:
        self._body_bytes += len(data)
        if self._body_bytes > self.server.limits.body_bytes:
            self.refuse_body()
        if not self._is_refused:
            super().handleContentChunk(data)

    def refuse_body(self) -> None:
        """Answer 413 now, and leave the rest of the body unread."""
        if self._is_refused:
            return
        self._is_refused = True
        detail = f"The request body is larger than {self.server.limits.body_bytes:,} bytes."
        body = json.dumps({"detail": detail})
        self.channel.transport.write(f"{TOO_LARGE}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self.channel.callLater(self.server.limits.refused_body_s, self.channel.loseConnection)

    def process(self) -> Any:
        return None if self._is_refused else super().process()

    def handle_exception(self, exception: Exception) -> None:
        # daphne would begin a second answer, fail at it, and with that end its own watch over all connections
        if self._response_started:
            self.transport.abortConnection()
        else:
            super().handle_exception(exception)


class WebSocket(WebSocketProtocol):
    """A WebSocket that is closed when its client takes nothing, or is no longer there."""

    maxMessagePayloadSize: int

    def dataReceived(self, data: bytes) -> None:
        if (flow := self.flow) is not None:
            flow.heard_at = time.monotonic()
        super().dataReceived(data)

    @property
    def flow(self) -> Flow | None:
        flow: Flow | None = self.factory.server_class.flows.get(self.transport)
        return flow

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.application_queue.qsize() < MAX_WAITING_MESSAGES:
            super().onMessage(payload, isBinary)
        else:
            self.leave(POLICY_VIOLATION)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state not in (self.STATE_CONNECTING, self.STATE_OPEN):  # it is closing, and nobody would read it
            return
        # autobahn has one limit for what is received and what is sent, and lines of a log may be long
        received_limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().serverSend(content, binary)
        finally:
            self.maxMessagePayloadSize = received_limit

    def serverClose(self, code: int | None = None) -> None:
        self.sendCloseFrame(code=code or 1000)  # autobahn's sendClose knows none of the server's own codes

    def leave(self, code: int) -> None:
        """Close, and tell the application now: a client that reads nothing will not answer soon."""
        self.sendCloseFrame(code=code)
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.server.protocol_disconnected(self)
        if (flow := self.flow) is not None:
            flow.go_on()

    def check_timeouts(self) -> None:
        flow, limits = self.flow, self.server.limits
        if flow is None or self.state != self.STATE_OPEN:
            super().check_timeouts()
        elif flow.full_s > limits.full_socket_s:
            self.leave(TRY_AGAIN_LATER)
        elif time.monotonic() - flow.heard_at > limits.silent_socket_s:
            self.transport.abortConnection()
        elif not flow.is_full:
            super().check_timeouts()  # sends the ping

    def connectionLost(self, reason: Any) -> None:
        self.factory.server_class.lost(self.transport)
        super().connectionLost(reason)


class FlowServer(Server):
    """daphne's server with flows. ``limits`` are parameters for the sake of tests."""

    def __init__(self, application: Any, *, endpoint: str, on_ready: Callable[[], None], limits: Limits) -> None:
        super().__init__(
            application,
            endpoints=[endpoint],
            server_name="runicorn",
            ready_callable=self._begin,
            request_buffer_size=64 * 1024,
            websocket_timeout=-1,  # a page may stay open for days
            ping_interval=limits.ping_s,
            ping_timeout=0,  # ours: check_timeouts
            websocket_max_message_size=limits.message_bytes,
            websocket_max_frame_size=limits.message_bytes,
        )
        self.limits = limits
        #: By Twisted's transport, which a connection keeps when it becomes a WebSocket.
        self.flows: dict[Any, Flow] = {}
        self._on_ready = on_ready

    def _begin(self) -> None:
        """daphne has made its factories and opened the port, and nothing was accepted yet."""
        self.http_factory.protocol = Channel
        self.ws_factory.protocol = WebSocket
        self.ws_factory.setProtocolOptions(closeHandshakeTimeout=self.limits.full_socket_s)
        self._on_ready()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        flow = self.flows.get(protocol.transport)
        if flow is not None and flow.is_full:
            await flow.room()
        await super().handle_reply(protocol, message)

    def lost(self, transport: Any) -> None:
        """The connection is gone: whoever waits for it goes on, and finds that out."""
        if (flow := self.flows.pop(transport, None)) is not None:
            flow.go_on()

    def timeout_checker(self) -> None:
        """In place of daphne's, which looks every two seconds whatever the limits are."""
        for transport, flow in list(self.flows.items()):
            if transport.disconnecting:  # closed by us, but for what the client has yet to take
                flow.stop()
            if flow.full_s > self.limits.full_answer_s:
                transport.abortConnection()
        for protocol in list(self.connections):
            protocol.check_timeouts()
        asyncio.get_running_loop().call_later(self.limits.watch_s, self.timeout_checker)

    def protocol_disconnected(self, protocol: Any) -> None:
        if protocol in self.connections:  # not if it was left before it was lost
            super().protocol_disconnected(protocol)

    def kill_all_applications(self) -> Any:
        for protocol, details in list(self.connections.items()):
            if "application_instance" not in details:  # half a request; daphne would stumble over it
                del self.connections[protocol]
        return super().kill_all_applications()


def make_server(
    application: Any, *, ip: str, port: int, on_ready: Callable[[], None], limits: Limits | None = None
) -> FlowServer:
    """The viewer's server at an IP address; ``run()`` serves.

    port: 0 lets the system choose; ``listening_addresses`` tells. on_ready: called once the port is open.
    """
    interface = ip.replace(":", r"\:")
    endpoint = f"tcp:port={port}:interface={interface}"
    return FlowServer(application, endpoint=endpoint, on_ready=on_ready, limits=limits or Limits())
